#include "respond/detect/http_probe.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "base/address_lookup.h"

namespace anclora::respond {
namespace {

using UrlHandle = std::unique_ptr<CURLU, void (*)(CURLU*)>;

// Where the URL leads, or nothing when it is no URL: the request then says so.
std::optional<Endpoint> endpoint_of(const std::string& url) {
  const UrlHandle handle(curl_url(), curl_url_cleanup);
  if (curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
  const auto part = [&](CURLUPart what, unsigned flags) {
    char* text = nullptr;
    std::string value;
    if (curl_url_get(handle.get(), what, &text, flags) == CURLUE_OK) value = text;
    curl_free(text);
    return value;
  };
  Endpoint endpoint{part(CURLUPART_HOST, 0), 0};
  const std::string port = part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (endpoint.host.size() > 2 && endpoint.host.front() == '[')
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  return endpoint;
}

std::string bracketed(const std::string& host) {
  return host.starts_with('[') || std::ranges::count(host, ':') < 2 ? host : "[" + host + "]";
}

}  // namespace

HttpProbe::HttpProbe(HttpProbeOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {}

// What is wrong with it; empty: nothing, or nobody asked.
std::string HttpProbe::judge_certificate(std::optional<WallTime> expires, Reading& reading) const {
  if (expires)
    reading.facts["certificate_days"] =
        std::to_string(std::chrono::floor<std::chrono::days>(*expires - reading.at).count());
  if (options_.certificate_days == 0) return {};
  if (!expires) return "it shows no certificate";
  if (*expires - reading.at >= std::chrono::days(options_.certificate_days)) return {};
  return fmt::format("its certificate expires at {}, in less than {} days", format_rfc3339(*expires),
                     options_.certificate_days);
}

Reading HttpProbe::look(Duration timeout) {
  Reading reading;
  reading.at = clock_.wall_now();
  const MonoTime start = clock_.mono_now();
  const auto finish = [&](ProbeState state, std::string reason) {
    reading.state = state;
    reading.reason = std::move(reason);
    reading.took = clock_.mono_now() - start;
    reading.facts["took_ms"] = std::to_string(reading.took.count() / 1000);
    return reading;
  };
  const auto endpoint =
      endpoint_of(options_.connect_to.empty() ? options_.url : "http://" + bracketed(options_.connect_to));
  if (!endpoint) return finish(ProbeState::kUnknown, "not a web address: " + options_.url);
  if (auto found = look_up(*endpoint, false, start + timeout); !found.has_value())
    return finish(ProbeState::kUnknown, "its name cannot be resolved here: " + found.error().message());
  storage::HttpOptions http;
  http.connect_timeout = http.total_timeout = http.stall_timeout = timeout - (clock_.mono_now() - start);
  http.slowest_bytes_per_second = 1024 * kMiB;  // no time beyond the timeout for a large answer
  http.ca_file = options_.ca_file;
  http.connect_to = options_.connect_to;
  storage::HttpClient client(http);
  storage::HttpRequest request{.method = options_.method, .url = options_.url, .headers = options_.headers};
  auto response = client.send(request);
  if (!response.has_value()) {
    const bool ours = response.error().kind() == ErrorKind::kInvalidArgument;
    return finish(ours ? ProbeState::kUnknown : ProbeState::kDown, response.error().message());
  }
  reading.facts["status"] = std::to_string(response->status);
  const bool expected = options_.status == 0 ? response->status / 100 == 2 : response->status == options_.status;
  if (!expected) return finish(ProbeState::kDown, fmt::format("it answers with status {}", response->status));
  if (response->body.find(options_.body_contains) == Bytes::npos)
    return finish(ProbeState::kDown, fmt::format("its answer lacks \"{}\"", options_.body_contains));
  if (std::string problem = judge_certificate(response->certificate_expires, reading); !problem.empty())
    return finish(ProbeState::kDown, std::move(problem));
  return finish(ProbeState::kUp, "");
}

}  // namespace anclora::respond
