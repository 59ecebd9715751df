// Asks a name's A, AAAA, CNAME or TXT records, of the system's resolvers or of one server (an authoritative one).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/socket.h"
#include "respond/detect/probe.h"

namespace anclora::respond {

enum class RecordType : std::uint8_t { kA, kAaaa, kCname, kTxt };

struct DnsProbeOptions {
  std::string name;
  RecordType type = RecordType::kA;
  std::vector<std::string> expected;  // all of these must be among the answers; empty: any answer will do
  Endpoint server;                    // an IPv4 address and port; host empty: the system's resolvers
};

// down: the server says that there is no such name or record, or the answer lacks an expected value. unknown: no server
// answers, or it refuses or fails (SERVFAIL, REFUSED). Facts: answers, ttl_seconds.
class DnsProbe final : public Probe {
 public:
  DnsProbe(DnsProbeOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {}
  Reading look(Duration timeout) override;

 private:
  DnsProbeOptions options_;
  Clock& clock_;
};

// Judges the bytes of a DNS answer (RFC 1035) under these options. Pure.
Reading judge_dns_answer(const std::vector<unsigned char>& answer, const DnsProbeOptions& options);

}  // namespace anclora::respond
