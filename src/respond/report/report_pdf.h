// A report's HTML as PDF, by weasyprint (Debian's package of that name) as a child process.
#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"

namespace anclora::respond {

struct PdfConverter {
  std::string program = "weasyprint";
  std::string search_path;  // PATH of the child; empty: ours
  Duration time_limit = std::chrono::minutes(1);
};

// Writes `path`, which must not be there, and beside it for a while `path`.log. The child gets the page on its stdin,
// none of our environment, and no way to the network. kFailedPrecondition naming the package when there is no such
// program; kDeadlineExceeded past the time limit; kInternal with the converter's own last line when it fails. Nothing
// is left behind then.
Status write_pdf(FileSystem& files, const Bytes& html, const std::string& path, const PdfConverter& converter);

}  // namespace anclora::respond
