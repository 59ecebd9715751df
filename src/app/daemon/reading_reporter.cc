#include "app/daemon/reading_reporter.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/server/api_server.h"
#include "respond/notify/http_delivery.h"

namespace anclora::app {
namespace {

constexpr Duration kCallWithin = std::chrono::seconds(3);
constexpr std::size_t kMostInACall = 100;  // as the API takes
constexpr std::string_view kHttp = "http://";

// Whether the token could be read on the way.
bool goes_in_clear(std::string_view url) {
  if (!url.starts_with(kHttp)) return false;
  std::string_view host = url.substr(kHttp.size());
  host = host.substr(0, host.find('/'));
  if (host.find('@') != std::string_view::npos) return true;
  host = host.starts_with('[') ? host.substr(1, host.find(']') - 1) : host.substr(0, host.find(':'));
  return !is_loopback(std::string(host));
}

}  // namespace

Result<ReadingReporter> ReadingReporter::create(ReportTo to, Clock& clock) {
  while (to.url.ends_with('/')) to.url.pop_back();
  if (!respond::check_http_url(to.url))
    return Error(ErrorKind::kInvalidArgument, "--report-to is no http:// or https:// URL",
                 "write where the serve is reached, such as https://dr.example:7373");
  if (goes_in_clear(to.url))
    return Error(ErrorKind::kInvalidArgument, "--report-to would send the token over the network in clear",
                 "reach that serve through a proxy with TLS (https://) or an SSH tunnel (http://127.0.0.1:PORT)");
  RETURN_IF_ERROR(respond::check_header_value(to.token.reveal()));
  return ReadingReporter(std::move(to), clock);
}

void ReadingReporter::send_new(const std::vector<respond::ProbeView>& probes, std::ostream& err) {
  nlohmann::ordered_json readings = nlohmann::ordered_json::array();
  for (const respond::ProbeView& probe : probes) {
    if (!probe.here || !probe.last || readings.size() == kMostInACall) continue;
    const auto known = last_.find(probe.probe);
    if (known != last_.end() && known->second == probe.last->at) continue;
    last_[probe.probe] = probe.last->at;
    readings.push_back({{"probe", probe.probe},
                        {"vantage", probe.vantage},
                        {"state", respond::to_string(probe.last->state)},
                        {"reason", probe.last->reason},
                        {"at", format_rfc3339(probe.last->at)}});
  }
  if (readings.empty()) return;
  const respond::Posting posting{to_.url + "/api/readings",
                                 {{"Authorization", "Bearer " + to_.token.reveal()}},
                                 readings.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                                 to_.ca_file};
  const respond::Posted posted = respond::post_json(posting, *clock_, clock_->mono_now() + kCallWithin);
  const bool taken = posted.status == 200;
  if (taken) sent_ += readings.size();
  if (!taken && !failing_)
    err << fmt::format("warning: {} does not take what is seen from here: {}\n", to_.url,
                       posted.status == 0 ? posted.problem
                                          : fmt::format("status {} {}", posted.status, posted.body.substr(0, 300)))
        << std::flush;
  if (taken && failing_) err << fmt::format("{} takes it again\n", to_.url) << std::flush;
  failing_ = !taken;
}

}  // namespace anclora::app
