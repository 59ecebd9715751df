// Shows how far long work has come: one line that changes on a terminal, a plain line now and then in a pipe.
#pragma once

#include <iosfwd>
#include <string>

#include "protect/restore/restore_progress.h"

namespace anclora::app {

// One thread.
class ProgressLine {
 public:
  // Writes to `err`; looks whether standard error is a terminal.
  explicit ProgressLine(std::ostream& err);
  protect::OnRestoreProgress callback();
  // Ends the changing line.
  void finish();

 private:
  void show(const protect::RestoreProgress& progress);

  std::ostream& err_;
  bool terminal_;
  std::string phase_;
  int tenths_ = -1;
  bool line_open_ = false;
};

}  // namespace anclora::app
