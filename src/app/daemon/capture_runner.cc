#include "app/daemon/capture_runner.h"

#include <fmt/format.h>

#include <condition_variable>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "app/server/metrics_server.h"
#include "base/output_buffer.h"
#include "protect/capture/capture_metrics.h"

namespace anclora::app {
namespace {

constexpr Duration kLook = std::chrono::milliseconds(500);
constexpr Duration kLineEvery = std::chrono::minutes(1);
constexpr Duration kFailureEvery = std::chrono::seconds(10);

std::string protected_text(const protect::CaptureStatus& status) {
  if (!status.protected_up_to) return "nothing is protected yet";
  return fmt::format("protected up to {} ({})", to_string(*status.protected_up_to),
                     format_rfc3339(status.protected_time));
}

std::string line_of(const protect::CaptureStatus& status) {
  std::string line = fmt::format("{}: {}; {}; lag {} bytes, {}", status.source, to_string(status.link),
                                 protected_text(status), status.lag_bytes, format_duration(status.lag_time));
  if (!status.link_detail.empty()) line += "; " + status.link_detail;
  if (status.store_away)
    line += fmt::format("; the store is away ({}), {} wait in the outbox", status.last_error,
                        format_size(status.outbox_bytes));
  return line;
}

std::string json_of(const protect::CaptureStatus& status, WallTime now) {
  nlohmann::ordered_json json = {
      {"time", format_rfc3339(now)},         {"name", status.source},
      {"link", to_string(status.link)},      {"detail", status.link_detail},
      {"lag_bytes", status.lag_bytes},       {"lag_seconds", static_cast<double>(status.lag_time.count()) / 1e6},
      {"outbox_bytes", status.outbox_bytes}, {"store_away", status.store_away},
      {"last_error", status.last_error}};
  json["protected_up_to"] =
      status.protected_up_to ? nlohmann::ordered_json(to_string(*status.protected_up_to)) : nullptr;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Prints when something changed, and now and then when nothing did.
class ProgressReporter {
 public:
  ProgressReporter(const CaptureRunnerOptions& options, Clock& clock, std::ostream& out)
      : options_(options), clock_(clock), out_(out) {}

  void look(const protect::CaptureStatus& status) {
    const MonoTime now = clock_.mono_now();
    tell_failure(status, now);
    const bool changed = status.link != link_ || status.store_away != store_away_ || status.link_detail != detail_;
    if (options_.terminal && !options_.json) {
      out_ << erase_line << line_of(status) << std::flush;
    } else if (changed || now >= next_) {
      out_ << (options_.json ? json_of(status, clock_.wall_now()) : line_of(status)) << std::endl;
      next_ = now + kLineEvery;
    }
    link_ = status.link;
    store_away_ = status.store_away;
    detail_ = status.link_detail;
  }
  void end_line() {
    if (options_.terminal && !options_.json) out_ << erase_line;
  }

 private:
  // A failure is told though nothing else changes by it; one that comes again and again, not each time.
  void tell_failure(const protect::CaptureStatus& status, MonoTime now) {
    if (status.last_error == failure_ || now < next_failure_) return;
    failure_ = status.last_error;
    next_failure_ = now + kFailureEvery;
    next_ = now;  // in JSON the next line has it
    const bool told_with_the_link = status.link_detail.find(failure_) != std::string::npos;
    if (!options_.json && !told_with_the_link) {
      end_line();
      out_ << status.source << ": warning: " << failure_ << std::endl;
    }
  }

  const CaptureRunnerOptions& options_;
  Clock& clock_;
  std::ostream& out_;
  MonoTime next_{};
  MonoTime next_failure_{};
  std::string failure_;
  protect::LinkState link_ = protect::LinkState::kStopped;
  bool store_away_ = false;
  std::string detail_;
};

// Waits for `done` or for `duration`.
class Done {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_all();
  }
  bool wait_for(Duration duration) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, duration, [this] { return done_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
};

}  // namespace

Status run_capture(protect::Capture& capture, const CaptureRunnerOptions& options, Clock& clock,
                   const ServiceNotifier& notifier, std::ostream& out, const std::stop_token& stop) {
  std::unique_ptr<MetricsServer> metrics;
  if (options.metrics) {
    ASSIGN_OR_RETURN(metrics, MetricsServer::start(*options.metrics, [&capture, &clock] {
                       return protect::render_capture_metrics(capture.status(), clock.wall_now());
                     }));
  }
  const std::stop_callback on_stop(stop, [&] {
    ignore_result(notifier.stopping("draining"));  // systemd's view only; the drain does not depend on it
    capture.stop(options.drain_timeout);
  });
  Status outcome;
  Done done;
  std::thread runner([&] {
    outcome = capture.run();
    done.set();
  });
  ProgressReporter progress(options, clock, out);
  bool ready = false;
  while (!done.wait_for(kLook)) {
    const protect::CaptureStatus status = capture.status();
    progress.look(status);
    // A notification that fails costs nothing but systemd's view, and systemd acts on its absence by itself.
    if (!ready && status.link != protect::LinkState::kStarting) {
      ignore_result(notifier.ready(line_of(status)));
      ready = true;
    }
    const auto stuck = capture.stuck(options.stuck_after);
    if (!stuck) ignore_result(notifier.watchdog());
    ignore_result(
        notifier.status(stuck ? fmt::format("the {} has been stuck for {}", stuck->name, format_duration(stuck->silent))
                              : line_of(status)));
  }
  runner.join();
  progress.end_line();
  // Of a source that was refused from the start this capture knows nothing: another one may protect it.
  const bool knows = outcome || capture.status().protected_up_to;
  if (!options.json && knows)
    out << (outcome ? "stopped: " : "ended: ") << protected_text(capture.status()) << std::endl;
  return outcome;
}

}  // namespace anclora::app
