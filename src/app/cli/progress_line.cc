#include "app/cli/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <ostream>

#include "base/clock.h"
#include "base/output_buffer.h"

namespace anclora::app {

ProgressLine::ProgressLine(std::ostream& err) : err_(err), terminal_(::isatty(STDERR_FILENO) == 1) {}

protect::OnRestoreProgress ProgressLine::callback() {
  return [this](const protect::RestoreProgress& progress) { show(progress); };
}

void ProgressLine::show(const protect::RestoreProgress& progress) {
  const bool new_phase = progress.phase != phase_;
  const int tenths = progress.total_bytes == 0 ? 0 : static_cast<int>(progress.done_bytes * 10 / progress.total_bytes);
  const std::string amount = progress.total_bytes == 0 ? ""
                                                       : fmt::format("  {} of {}", format_size(progress.done_bytes),
                                                                     format_size(progress.total_bytes));
  if (terminal_) {
    err_ << erase_line << progress.phase << amount << std::flush;
    line_open_ = true;
  } else if (new_phase || tenths >= tenths_ + 2) {
    err_ << progress.phase << amount << std::endl;
    tenths_ = tenths;
  }
  if (new_phase) tenths_ = tenths;
  phase_ = progress.phase;
}

void ProgressLine::finish() {
  if (line_open_) err_ << erase_line << std::flush;
  line_open_ = false;
}

}  // namespace anclora::app
