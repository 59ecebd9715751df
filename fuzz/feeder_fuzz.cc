// Any bytes from a target: the primary's side of the protocol answers or gives up, and serves nobody unauthenticated.
#include "fuzz_target.h"
#include "redis/replication/feeder_protocol.h"

using namespace anclora;
using namespace anclora::redis;

std::vector<std::string> fuzz_seeds() {
  return {
      "*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n",
      "*5\r\n$8\r\nREPLCONF\r\n$4\r\ncapa\r\n$3\r\neof\r\n$4\r\ncapa\r\n$6\r\npsync2\r\nPSYNC ? -1\r\n\n"
      "*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$3\r\n150\r\n",
  };
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = fuzz_input(data, size);
  FeederIdentity identity;
  identity.replication_id = std::string(40, '0');
  identity.base_offset = Offset{100};
  identity.password = Secret("secret-that-is-not-in-the-input");
  const bool knows = bytes.find(identity.password.reveal()) != ByteView::npos;
  const bool open = size % 2 == 0;
  if (open) identity.password = Secret();
  FeederProtocol protocol(identity, Offset{200});
  std::size_t said = 0;
  for (std::size_t at = 0; at < size; at += 11) {
    const bool goes_on = protocol.receive(bytes.substr(at, 11)).has_value();
    said += protocol.take_output().size();
    if (!goes_on) break;
  }
  FUZZ_CHECK(said <= 64 * (size + 1));
  const auto request = protocol.take_sync_request();
  if (!open && !knows) FUZZ_CHECK(!request.has_value());
  if (request) FUZZ_CHECK(request->after >= Offset{100} && request->after <= Offset{200});
  return 0;
}
