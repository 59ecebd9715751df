#include "respond/detect/dns_probe.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace anclora::respond {
namespace {

constexpr std::size_t kLargestAnswer = 65'535;

int type_number(RecordType type) {
  switch (type) {
    case RecordType::kA:
      return ns_t_a;
    case RecordType::kAaaa:
      return ns_t_aaaa;
    case RecordType::kCname:
      return ns_t_cname;
    case RecordType::kTxt:
      return ns_t_txt;
  }
  return ns_t_a;
}

std::string without_dot(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  return name;
}

std::string value_of(const ns_msg& message, const ns_rr& record) {
  const unsigned char* data = ns_rr_rdata(record);
  const std::size_t size = ns_rr_rdlen(record);
  std::array<char, NS_MAXDNAME> text = {};
  switch (ns_rr_type(record)) {
    case ns_t_a:
      return size == 4 && inet_ntop(AF_INET, data, text.data(), text.size()) != nullptr ? text.data() : "";
    case ns_t_aaaa:
      return size == 16 && inet_ntop(AF_INET6, data, text.data(), text.size()) != nullptr ? text.data() : "";
    case ns_t_cname:
      return ns_name_uncompress(ns_msg_base(message), ns_msg_end(message), data, text.data(), text.size()) < 0
                 ? ""
                 : without_dot(text.data());
    case ns_t_txt: {
      std::string all;  // one or more strings of a length byte and that many bytes
      for (std::size_t i = 0; i < size && i + 1 + data[i] <= size; i += 1 + std::size_t{data[i]})
        all.append(reinterpret_cast<const char*>(data + i + 1), data[i]);
      return all;
    }
    default:
      return "";
  }
}

Reading say(ProbeState state, std::string reason) {
  Reading reading;
  reading.state = state;
  reading.reason = std::move(reason);
  return reading;
}

struct ResolverCloser {
  void operator()(struct __res_state* state) const {
    res_nclose(state);
    delete state;
  }
};

}  // namespace

Reading judge_dns_answer(const std::vector<unsigned char>& answer, const DnsProbeOptions& options) {
  ns_msg message;
  if (ns_initparse(answer.data(), static_cast<int>(answer.size()), &message) != 0)
    return say(ProbeState::kUnknown, "the server's answer is no DNS message");
  const int code = ns_msg_getflag(message, ns_f_rcode);
  if (code == ns_r_nxdomain) return say(ProbeState::kDown, "there is no such name: " + options.name);
  if (code != ns_r_noerror) return say(ProbeState::kUnknown, fmt::format("the server answers with DNS error {}", code));
  std::vector<std::string> values;
  std::uint32_t ttl = 0;
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, i, &record) != 0)
      return say(ProbeState::kUnknown, "a record of the server's answer is damaged");
    if (ns_rr_type(record) != type_number(options.type)) continue;
    values.push_back(value_of(message, record));
    ttl = values.size() == 1 ? ns_rr_ttl(record) : std::min(ttl, static_cast<std::uint32_t>(ns_rr_ttl(record)));
  }
  Reading reading;
  reading.facts = {{"answers", fmt::format("{}", fmt::join(values, " "))}, {"ttl_seconds", std::to_string(ttl)}};
  reading.state = values.empty() ? ProbeState::kDown : ProbeState::kUp;
  if (values.empty()) reading.reason = "the name has no record of this type";
  for (const std::string& expected : options.expected) {
    if (std::find(values.begin(), values.end(), without_dot(expected)) != values.end()) continue;
    reading.state = ProbeState::kDown;
    reading.reason = fmt::format("{} answers {}, not {}", options.name, fmt::join(values, " "), expected);
    break;
  }
  return reading;
}

Reading DnsProbe::look(Duration timeout) {
  const WallTime at = clock_.wall_now();
  const MonoTime start = clock_.mono_now();
  const auto finish = [&](Reading reading) {
    reading.at = at;
    reading.took = clock_.mono_now() - start;
    return reading;
  };
  const std::unique_ptr<struct __res_state, ResolverCloser> state(new struct __res_state());
  if (res_ninit(state.get()) != 0) return finish(say(ProbeState::kUnknown, "the system's resolver cannot be set up"));
  state->retry = 1;
  state->retrans = std::max(1, static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(timeout).count()));
  if (!options_.server.host.empty()) {
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_port = htons(options_.server.port);
    if (inet_pton(AF_INET, options_.server.host.c_str(), &server.sin_addr) != 1)
      return finish(say(ProbeState::kUnknown, "not an IPv4 address of a DNS server: " + options_.server.host));
    state->nsaddr_list[0] = server;
    state->nscount = 1;
  }
  std::array<unsigned char, NS_PACKETSZ> question = {};
  const int asked = res_nmkquery(state.get(), ns_o_query, options_.name.c_str(), ns_c_in, type_number(options_.type),
                                 nullptr, 0, nullptr, question.data(), static_cast<int>(question.size()));
  if (asked < 0) return finish(say(ProbeState::kUnknown, "not a name that DNS can ask for: " + options_.name));
  std::vector<unsigned char> answer(kLargestAnswer);
  const int size = res_nsend(state.get(), question.data(), asked, answer.data(), static_cast<int>(answer.size()));
  if (size < 0) return finish(say(ProbeState::kUnknown, "no DNS server answers"));
  answer.resize(static_cast<std::size_t>(size));
  return finish(judge_dns_answer(answer, options_));
}

}  // namespace anclora::respond
