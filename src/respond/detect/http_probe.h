// Looks at a web address: reachable, its certificate valid, the status and the body as expected, in time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "respond/detect/probe.h"
#include "storage/store/http_client.h"

namespace anclora::respond {

struct HttpProbeOptions {
  std::string url = {};
  std::string method = "GET";
  storage::HttpHeaders headers = {};  // an API key is resolved by the caller
  int status = 200;                   // the expected one; 0: any of 200 to 299
  std::string body_contains = {};     // empty: not judged
  std::string ca_file = {};           // PEM; empty: the system's store
  std::string connect_to = {};        // see HttpOptions
  // The certificate must be valid for so many days more; 0: only now. An address without TLS is down then.
  std::uint32_t certificate_days = 0;
};

// down: refused, no answer in time, a certificate that is expired, untrusted or of another name (clients refuse it
// too) or expires too soon, another status, a body without the text. unknown: our resolver fails. Facts: status,
// took_ms, certificate_days (whole days that the certificate is still valid).
class HttpProbe final : public Probe {
 public:
  HttpProbe(HttpProbeOptions options, Clock& clock);
  Reading look(Duration timeout) override;

 private:
  std::string judge_certificate(std::optional<WallTime> expires, Reading& reading) const;

  HttpProbeOptions options_;
  Clock& clock_;
};

}  // namespace anclora::respond
