// Asks a Prometheus for one number and compares it with a limit.
#pragma once

#include <string>

#include "respond/detect/probe.h"
#include "storage/store/http_client.h"

namespace anclora::respond {

enum class Comparison : std::uint8_t { kAbove, kBelow };

struct PrometheusProbeOptions {
  std::string url;    // of the server, without /api
  std::string query;  // PromQL
  Comparison bad_when = Comparison::kAbove;
  double limit = 0;
  storage::HttpHeaders headers;
  std::string ca_file;
  std::string connect_to = {};  // see HttpOptions
};

// down: any sample is beyond the limit. unknown: Prometheus does not answer, refuses the query, or knows no sample: a
// monitoring system that is away says nothing about what it watches. Facts: value (the worst), samples.
class PrometheusProbe final : public Probe {
 public:
  PrometheusProbe(PrometheusProbeOptions options, Clock& clock);
  Reading look(Duration timeout) override;

 private:
  PrometheusProbeOptions options_;
  Clock& clock_;
};

// What an answer of /api/v1/query says under these options. Pure.
Reading judge_query_answer(std::string_view json, const PrometheusProbeOptions& options);

}  // namespace anclora::respond
