// The blocks of a report as Markdown (CommonMark with GitHub's tables and checklists).
#pragma once

#include <string>
#include <vector>

#include "respond/report/report_blocks.h"

namespace anclora::respond {

std::string blocks_to_markdown(const std::vector<ReportBlock>& blocks, Language language);

}  // namespace anclora::respond
