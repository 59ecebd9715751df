// The blocks of a report as one HTML page: no script, nothing from elsewhere, for screens, screen readers and A4.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "respond/report/report_blocks.h"

namespace anclora::respond {

std::string blocks_to_html(const std::vector<ReportBlock>& blocks, Language language, std::string_view title);

}  // namespace anclora::respond
