#include "respond/detect/prometheus_probe.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace anclora::respond {
namespace {

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (plain)
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

// The numbers of a scalar, or of an instant vector: [time, "value"] each.
std::vector<double> samples_of(const nlohmann::json& data) {
  std::vector<double> samples;
  const auto add = [&](const nlohmann::json& pair) {
    if (pair.is_array() && pair.size() == 2 && pair[1].is_string())
      samples.push_back(std::strtod(pair[1].get_ref<const std::string&>().c_str(), nullptr));
  };
  const auto result = data.find("result");
  if (result == data.end() || !result->is_array()) return samples;
  const auto type = data.find("resultType");
  if (type != data.end() && *type == "scalar") {
    add(*result);
    return samples;
  }
  for (const auto& series : *result) {
    if (!series.is_object()) continue;
    const auto value = series.find("value");
    if (value != series.end()) add(*value);
  }
  return samples;
}

Reading unknown(std::string reason) {
  Reading reading;
  reading.reason = std::move(reason);
  return reading;
}

}  // namespace

Reading judge_query_answer(std::string_view text, const PrometheusProbeOptions& options) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return unknown("Prometheus answers something else than JSON");
  const auto status = json.find("status");
  if (status == json.end() || *status != "success") {
    const auto error = json.find("error");
    const bool told = error != json.end() && error->is_string();
    return unknown("Prometheus refuses the query: " + (told ? error->get<std::string>() : "no reason given"));
  }
  const auto data = json.find("data");
  if (data == json.end() || !data->is_object()) return unknown("Prometheus answers without data");
  const std::vector<double> samples = samples_of(*data);
  if (samples.empty()) return unknown("Prometheus knows no sample for the query");
  const bool above = options.bad_when == Comparison::kAbove;
  double worst = samples.front();
  for (const double sample : samples) {
    if (std::isnan(sample)) return unknown("a sample is not a number");
    if (above ? sample > worst : sample < worst) worst = sample;
  }
  Reading reading;
  reading.facts = {{"value", fmt::format("{}", worst)}, {"samples", std::to_string(samples.size())}};
  const bool bad = above ? worst > options.limit : worst < options.limit;
  reading.state = bad ? ProbeState::kDown : ProbeState::kUp;
  if (bad) reading.reason = fmt::format("{} is {} {}", worst, above ? "above" : "below", options.limit);
  return reading;
}

PrometheusProbe::PrometheusProbe(PrometheusProbeOptions options, Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

Reading PrometheusProbe::look(Duration timeout) {
  const WallTime at = clock_.wall_now();
  const MonoTime start = clock_.mono_now();
  storage::HttpOptions http;
  http.connect_timeout = http.total_timeout = http.stall_timeout = timeout;
  http.slowest_bytes_per_second = 1024 * kMiB;
  http.ca_file = options_.ca_file;
  http.connect_to = options_.connect_to;
  storage::HttpClient client(http);
  storage::HttpRequest request;
  request.url = options_.url + "/api/v1/query?query=" + percent_encoded(options_.query);
  request.headers = options_.headers;
  auto response = client.send(request);
  Reading reading = response.has_value() ? judge_query_answer(response->body, options_)
                                         : unknown("Prometheus cannot be asked: " + response.error().message());
  reading.at = at;
  reading.took = clock_.mono_now() - start;
  return reading;
}

}  // namespace anclora::respond
