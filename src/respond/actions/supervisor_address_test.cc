#include "respond/actions/supervisor_address.h"

#include <gtest/gtest.h>

namespace anclora::respond {
namespace {

Result<SupervisorAddress> read(std::string_view text) {
  return read_supervisor_address(text, "/srv/site", [](std::string_view name) -> std::optional<std::string> {
    if (name == "SOCK") return "run/s.sock";
    return std::nullopt;
  });
}

TEST(SupervisorAddress, IsWhereSupervisorctlFindsIt) {
  EXPECT_EQ(read("[supervisorctl]\nserverurl=unix:///run/s.sock\n")->socket(), "/run/s.sock");
  EXPECT_EQ(read("[supervisorctl]\r\nserverurl = unix:///run/s.sock ; where it is\r\n")->socket(), "/run/s.sock");
  EXPECT_EQ(read("; [x]\n[supervisord]\nserverurl=unix:///no\n[supervisorctl]\n;serverurl=unix:///no\n"
                 "serverurl: unix://%(here)s/%(ENV_SOCK)s\n[program:a]\nserverurl=unix:///no\n")
                ->socket(),
            "/srv/site/run/s.sock");
  EXPECT_EQ(read("")->server, "http://localhost:9001");
}

TEST(SupervisorAddress, TakesTheUserAndThePassword) {
  const auto address = read("[supervisorctl]\nserverurl=http://10.0.0.1:9001\nusername=ops\npassword=a=b:100%%;c\n");
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->server, "http://10.0.0.1:9001");
  EXPECT_EQ(address->socket(), "");
  EXPECT_EQ(address->user, "ops");
  EXPECT_EQ(address->password.reveal(), "a=b:100%;c");
}

TEST(SupervisorAddress, KeepsThePasswordOutOfWhatIsShown) {
  const auto address = parse_supervisor_server("http://ops:p@ss@10.0.0.1:9001/");
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(address->server, "http://10.0.0.1:9001");
  EXPECT_EQ(address->user, "ops");
  EXPECT_EQ(address->password.reveal(), "p@ss");
  const auto refused = parse_supervisor_server("https://ops:p@ss@10.0.0.1");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().to_string().find("p@ss"), std::string::npos) << refused.error().to_string();
}

TEST(SupervisorAddress, NamesTheLineOfWhatItCannotRead) {
  for (const std::string_view value :
       {"ftp://x", "unix://relative", "unix://", "unix:///%(ENV_NONE)s", "unix:///%(x"}) {
    const auto address = read("[supervisorctl]\n\nserverurl=" + std::string(value) + "\n");
    ASSERT_FALSE(address.has_value()) << value;
    EXPECT_EQ(address.error().kind(), ErrorKind::kInvalidArgument);
    EXPECT_NE(address.error().message().find("line 3, serverurl"), std::string::npos) << address.error().message();
  }
}

}  // namespace
}  // namespace anclora::respond
