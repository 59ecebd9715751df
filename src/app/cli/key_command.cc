#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/command_context.h"
#include "app/cli/json_text.h"
#include "base/output_buffer.h"
#include "base/secret_file.h"

namespace anclora::app {
namespace {

struct KeyArguments {
  std::string new_passphrase_file;
  bool recovery = false;
  std::string slot;
};

Result<Secret> new_passphrase(const CommandContext& context, const KeyArguments& arguments) {
  if (!arguments.new_passphrase_file.empty()) return read_secret_file(context.files, arguments.new_passphrase_file);
  auto typed = prompt_secret("New passphrase: ");
  if (!typed) return typed.error().with_hint("give --new-passphrase-file FILE, or --recovery for a new recovery key");
  return typed;
}

Result<int> run_add(const CommandContext& context, const KeyArguments& arguments) {
  ASSIGN_OR_RETURN(const auto store, context.open_store());
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*store));
  std::optional<Secret> passphrase;
  if (!arguments.recovery) {
    ASSIGN_OR_RETURN(passphrase, new_passphrase(context, arguments));
  }
  ASSIGN_OR_RETURN(const Secret recovery_key,
                   storage::add_key_slot(*store, repository, passphrase, context.clock, context.random));
  if (context.options.json) {
    nlohmann::ordered_json json = {{"added", arguments.recovery ? "recovery" : "passphrase"}};
    if (arguments.recovery) json["recovery_key"] = recovery_key.reveal();
    context.out << json_text(json);
  } else if (arguments.recovery)
    context.out << "Recovery key (shown once):\n\n    " << recovery_key.reveal() << "\n";
  else
    context.out << "passphrase added\n";
  if (arguments.recovery && !printed(context.out))
    return Error(
        ErrorKind::kIo, "a recovery key was added, but it could not be written to the output",
        "print another one: anclora key add --recovery; remove this one: anclora key list, anclora key remove");
  return 0;
}

Result<int> run_list(const CommandContext& context) {
  ASSIGN_OR_RETURN(const auto store, context.open_store());
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*store));
  ASSIGN_OR_RETURN(const auto slots, storage::list_key_slots(*store, repository));
  if (context.options.json) {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const auto& slot : slots)
      json.push_back({{"slot", slot.slot}, {"kind", slot.kind}, {"created", format_rfc3339(slot.created)}});
    context.out << json_text(nlohmann::ordered_json{{"slots", json}});
    return 0;
  }
  for (const auto& slot : slots)
    context.out << fmt::format("{}  {:10}  {}\n", slot.slot, slot.kind, format_rfc3339(slot.created));
  return 0;
}

Result<int> run_remove(const CommandContext& context, const KeyArguments& arguments) {
  ASSIGN_OR_RETURN(const auto store, context.open_store());
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*store));
  RETURN_IF_ERROR(storage::remove_key_slot(*store, repository, arguments.slot, context.random));
  if (context.options.json)
    context.out << json_text(nlohmann::ordered_json{{"removed", arguments.slot}});
  else
    context.out << "removed " << arguments.slot << "\n";
  return 0;
}

}  // namespace

void add_key_command(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<KeyArguments>();
  CLI::App* command = app.add_subcommand("key", "who can open the repository: add, list or remove key slots");
  command->require_subcommand(1);
  command->footer("Example: anclora key add --new-passphrase-file FILE --repo /srv/redis-backup");
  CLI::App* add = command->add_subcommand("add", "one more passphrase, or a new recovery key");
  add->add_option("--new-passphrase-file", arguments->new_passphrase_file,
                  "a file with the new passphrase (else a prompt)");
  add->add_flag("--recovery", arguments->recovery, "make a recovery key instead of a passphrase, and print it once")
      ->excludes("--new-passphrase-file");
  add->footer("Example: anclora key add --recovery");
  add->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_add(context, *arguments); }; });
  CLI::App* list = command->add_subcommand("list", "the slots there are");
  list->footer("Example: anclora key list");
  list->callback([&context] { context.action = [&context] { return run_list(context); }; });
  CLI::App* remove =
      command->add_subcommand("remove", "remove a slot (never the last, nor the one that opens the repository now)");
  remove->add_option("slot", arguments->slot, "as key list names it")->required();
  remove->footer("Example: anclora key remove 3f9a0c");
  remove->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_remove(context, *arguments); }; });
}

}  // namespace anclora::app
