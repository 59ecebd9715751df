#include <gtest/gtest.h>

#include <sstream>

#include "app/cli/run_site.h"
#include "plan/action_schema.h"

namespace anclora::app {
namespace {

TEST(RunActions, AreExactlyThoseThatTheCatalogueCallsAvailable) {
  std::ostringstream out, err;
  const CommandContext context{out,
                               err,
                               system_clock(),
                               system_random(),
                               posix_file_system(),
                               system_dialer(),
                               [](const std::string&) { return std::optional<std::string>("/tmp"); },
                               {},
                               {}};
  const auto actions = make_actions(context);
  for (const plan::ActionSchema& schema : plan::action_catalogue())
    EXPECT_EQ(actions->make(schema.name).has_value(), schema.available) << schema.name;
}

}  // namespace
}  // namespace anclora::app
