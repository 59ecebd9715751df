#include "protect/capture/capture_metrics.h"

#include <fmt/format.h>

namespace anclora::protect {
namespace {

double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
double to_seconds(WallTime time) { return to_seconds(Duration(time.time_since_epoch())); }

std::string escape_label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

class Text {
 public:
  explicit Text(std::string labels) : labels_(std::move(labels)) {}
  void gauge(std::string_view name, std::string_view help, double value) { add(name, help, "gauge", value); }
  void counter(std::string_view name, std::string_view help, double value) { add(name, help, "counter", value); }
  std::string take() { return std::move(out_); }

 private:
  void add(std::string_view name, std::string_view help, std::string_view type, double value) {
    out_ +=
        fmt::format("# HELP anclora_capture_{0} {1}\n# TYPE anclora_capture_{0} {2}\nanclora_capture_{0}{{{3}}} {4}\n",
                    name, help, type, labels_, value);
  }
  std::string labels_;
  std::string out_;
};

void add_positions(Text& text, const CaptureStatus& status) {
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  if (status.source_offset)
    text.gauge("source_offset", "Replication offset of the source as it last said.",
               number(status.source_offset->value));
  text.gauge("received_offset", "Replication offset received.", number(status.received.value));
  if (status.protected_up_to) {
    text.gauge("protected_offset", "Replication offset up to which every byte is durable.",
               number(status.protected_up_to->offset.value));
    text.gauge("protected_timeline", "Timeline of the protected offset.",
               number(status.protected_up_to->timeline.value));
    text.gauge("protected_timestamp_seconds", "Time of receipt of the last protected byte.",
               to_seconds(status.protected_time));
  }
  text.gauge("lag_bytes", "Bytes that the source has and that are not protected.", number(status.lag_bytes));
  text.gauge("lag_seconds", "Age of the oldest byte received and not protected.", to_seconds(status.lag_time));
  text.gauge("base_complete", "1 when the present timeline can be restored.", status.base_complete ? 1 : 0);
}

}  // namespace

std::string render_capture_metrics(const CaptureStatus& status, WallTime now) {
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  Text text(fmt::format("source=\"{}\"", escape_label(status.source)));
  text.gauge("up", "1 while the process runs.", 1);
  text.gauge("link_streaming", "1 while the source's stream comes.", status.link == LinkState::kStreaming ? 1 : 0);
  text.gauge("link_cannot_keep_up", "1 after repeated full synchronisations that came to nothing.",
             status.link == LinkState::kCannotKeepUp ? 1 : 0);
  text.gauge("link_paused", "1 while capture left the source: neither store nor outbox takes more.",
             status.link == LinkState::kPaused ? 1 : 0);
  add_positions(text, status);
  text.gauge("store_away", "1 while the repository does not answer.", status.store_away ? 1 : 0);
  text.gauge("outbox_bytes", "Bytes that wait in the outbox.", number(status.outbox_bytes));
  text.gauge("outbox_entries", "Entries that wait in the outbox.", number(status.outbox_entries));
  text.gauge("outbox_limit_bytes", "Size at which capture leaves the source.", number(status.outbox_limit_bytes));
  text.counter("commands_received_total", "Commands of the stream received.", number(status.commands_received));
  text.counter("entries_published_total", "Log entries published.", number(status.entries_published));
  text.counter("stream_bytes_published_total", "Bytes of stream published.", number(status.stream_bytes_published));
  text.counter("object_bytes_published_total", "Bytes of log objects published.",
               number(status.object_bytes_published));
  text.counter("bases_published_total", "Bases published.", number(status.bases_published));
  text.counter("packs_published_total", "Packs published.", number(status.packs_published));
  text.counter("checkpoints_published_total", "Checkpoints published.", number(status.checkpoints_published));
  text.counter("full_syncs_total", "Full synchronisations begun.", number(status.full_syncs));
  text.counter("partial_syncs_total", "Resumptions without one.", number(status.partial_syncs));
  text.counter("store_failures_total", "Calls of the repository that failed.", number(status.store_failures));
  text.gauge("publish_seconds", "Receipt of the newest entry's first byte to its durability.",
             to_seconds(status.publish_time));
  text.gauge("publish_max_seconds", "The longest of those since the start.", to_seconds(status.publish_time_max));
  if (status.last_published)
    text.gauge("last_published_age_seconds", "Age of the newest published entry.",
               to_seconds(Duration(now - *status.last_published)));
  return text.take();
}

}  // namespace anclora::protect
