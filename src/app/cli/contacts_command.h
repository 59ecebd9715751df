// anclora plan test-contacts: a test message by every channel of the plan's contacts, and what became of it.
#pragma once

namespace CLI {
class App;
}

namespace anclora::app {

struct CommandContext;
void add_test_contacts(CLI::App& plan_command, CommandContext& context);

}  // namespace anclora::app
