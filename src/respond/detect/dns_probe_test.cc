#include "respond/detect/dns_probe.h"

#include <gtest/gtest.h>

#include "base/subprocess.h"
#include "base/testing/temporary_directory.h"
#include "redis/testing/redis_server.h"

namespace anclora::respond {
namespace {

constexpr Duration kTimeout = std::chrono::seconds(60);

// A real dnsmasq that knows a few names of its own and asks nobody else.
class DnsServer {
 public:
  DnsServer() : port_(redis::free_loopback_port()) {
    SubprocessOptions options;
    options.argv = {"/usr/sbin/dnsmasq",
                    "--keep-in-foreground",
                    "--conf-file=/dev/null",
                    "--no-resolv",
                    "--no-hosts",
                    "--port=" + std::to_string(port_),
                    "--listen-address=127.0.0.1",
                    "--bind-interfaces",
                    "--pid-file=",
                    "--user=root",
                    "--local=/test/",
                    "--local-ttl=30",
                    "--host-record=app.test,10.1.2.3",
                    "--host-record=app.test,fd00::7",
                    "--cname=www.test,app.test",
                    "--txt-record=dr.test,generation=4"};
    options.output_file = folder_ / "dnsmasq.log";
    process_ = Subprocess::start(options).value();
    DnsProbe probe({"app.test", RecordType::kA, {}, server()}, system_clock());
    for (int i = 0; i < 3'000 && probe.look(kTimeout).state != ProbeState::kUp; ++i)
      system_clock().sleep_for(std::chrono::milliseconds(50));
  }
  Endpoint server() const { return {"127.0.0.1", port_}; }
  Reading ask(const std::string& name, RecordType type, std::vector<std::string> expected = {}) const {
    return DnsProbe({name, type, std::move(expected), server()}, system_clock()).look(kTimeout);
  }

 private:
  std::uint16_t port_;
  TemporaryDirectory folder_;
  std::unique_ptr<Subprocess> process_;
};

TEST(DnsProbe, ReadsTheRecordsOfARealServer) {
  const DnsServer server;
  const Reading address = server.ask("app.test", RecordType::kA, {"10.1.2.3"});
  EXPECT_EQ(address.state, ProbeState::kUp) << address.reason;
  EXPECT_EQ(address.facts.at("answers"), "10.1.2.3");
  EXPECT_EQ(address.facts.at("ttl_seconds"), "30");
  EXPECT_EQ(server.ask("app.test", RecordType::kAaaa, {"fd00::7"}).state, ProbeState::kUp);
  EXPECT_EQ(server.ask("www.test", RecordType::kCname, {"app.test."}).state, ProbeState::kUp);
  EXPECT_EQ(server.ask("dr.test", RecordType::kTxt, {"generation=4"}).state, ProbeState::kUp);
}

TEST(DnsProbe, IsDownWithAnotherAddressOrNone) {
  const DnsServer server;
  const Reading other = server.ask("app.test", RecordType::kA, {"10.9.9.9"});
  EXPECT_EQ(other.state, ProbeState::kDown);
  EXPECT_EQ(other.reason, "app.test answers 10.1.2.3, not 10.9.9.9");
  EXPECT_EQ(server.ask("nothing.test", RecordType::kA).state, ProbeState::kDown);
  EXPECT_EQ(server.ask("dr.test", RecordType::kA).state, ProbeState::kDown);
}

TEST(DnsProbe, DoesNotKnowWhenNoServerAnswersOrItRefuses) {
  const DnsServer server;
  EXPECT_EQ(server.ask("elsewhere.example", RecordType::kA).state, ProbeState::kUnknown);  // it asks nobody: REFUSED
  const Endpoint nobody{"127.0.0.1", redis::free_loopback_port()};
  DnsProbe probe({"app.test", RecordType::kA, {}, nobody}, system_clock());
  EXPECT_EQ(probe.look(std::chrono::seconds(1)).state, ProbeState::kUnknown);
  DnsProbe odd({"app.test", RecordType::kA, {}, {"not-an-address", 53}}, system_clock());
  EXPECT_EQ(odd.look(std::chrono::seconds(1)).state, ProbeState::kUnknown);
}

TEST(DnsProbe, DoesNotKnowWithADamagedAnswer) {
  const DnsProbeOptions options{"app.test", RecordType::kA, {}, {}};
  for (std::size_t size = 0; size < 64; ++size)
    EXPECT_NE(judge_dns_answer(std::vector<unsigned char>(size, 0xff), options).state, ProbeState::kUp) << size;
}

}  // namespace
}  // namespace anclora::respond
