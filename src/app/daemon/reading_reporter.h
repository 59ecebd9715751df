// `detect --report-to`: tells the serve of another site what is seen from here, so that it can count vantage points.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "respond/detect/watcher.h"

namespace anclora::app {

struct ReportTo {
  std::string url;      // of the API: http(s)://host:port
  std::string ca_file;  // for https; empty: the system's
  Secret token;
};

// Thread rule: one thread.
class ReadingReporter {
 public:
  // kInvalidArgument when the URL is none, or is http:// to another place than loopback: the token goes with each call.
  static Result<ReadingReporter> create(ReportTo to, Clock& clock);
  // Sends each look of this place that was not sent yet, in one call of at most 3 s. What cannot be sent is told once
  // in a row, on `err`, and not sent later: the next look says more.
  void send_new(const std::vector<respond::ProbeView>& probes, std::ostream& err);
  std::size_t sent() const { return sent_; }  // readings that were taken

 private:
  ReadingReporter(ReportTo to, Clock& clock) : to_(std::move(to)), clock_(&clock) {}

  ReportTo to_;
  Clock* clock_;
  std::map<std::string, WallTime> last_;  // the newest look that was sent, by probe
  std::size_t sent_ = 0;
  bool failing_ = false;
};

}  // namespace anclora::app
