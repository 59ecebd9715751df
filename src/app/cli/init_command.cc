#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/command_context.h"
#include "app/cli/json_text.h"
#include "app/cli/nested_place.h"
#include "base/output_buffer.h"
#include "base/secret_file.h"

namespace anclora::app {
namespace {

struct InitArguments {
  std::string repo;
  bool no_encryption = false;
  bool single_writer = false;
};

// The passphrase of a new repository: from a file, or typed twice.
Result<Secret> new_passphrase(const CommandContext& context) {
  if (!context.options.passphrase_file.empty()) return read_secret_file(context.files, context.options.passphrase_file);
  auto first = prompt_secret("New passphrase: ");
  if (!first)
    return first.error().with_hint(
        "give --passphrase-file FILE, set ANCLORA_PASSPHRASE_FILE, or choose --no-encryption");
  ASSIGN_OR_RETURN(const Secret again, prompt_secret("Again: "));
  if (!first->equals(again)) return Error(ErrorKind::kInvalidArgument, "the two passphrases differ", "run init again");
  return std::move(*first);
}

// It is shown once: where nobody saw it, that is told.
Result<int> recovery_key_told(const CommandContext& context, bool encrypted) {
  if (!encrypted || printed(context.out)) return 0;
  return Error(ErrorKind::kIo, "the repository was created, but its recovery key could not be written to the output",
               "print another one: anclora key add --recovery");
}

Result<int> run_init(const CommandContext& context, const InitArguments& arguments) {
  const std::string& repo = arguments.repo.empty() ? context.options.repo : arguments.repo;
  RETURN_IF_ERROR(refuse_nested_place(context, repo));
  ASSIGN_OR_RETURN(const auto store, context.open_store(repo));
  storage::InitOptions options;
  options.encrypted = !arguments.no_encryption;
  options.single_writer = arguments.single_writer;
  if (options.encrypted) {
    ASSIGN_OR_RETURN(options.passphrase, new_passphrase(context));
  }
  ASSIGN_OR_RETURN(const storage::InitResult result,
                   storage::Repository::init(*store, options, context.clock, context.random));
  // Who may not delete here leaves it: it means nothing.
  if (!result.probe.empty()) ignore_result(store->remove(result.probe));
  if (context.options.json) {
    nlohmann::ordered_json json = {
        {"repository", store->describe()}, {"id", result.repository_id}, {"encrypted", options.encrypted}};
    if (options.encrypted) json["recovery_key"] = result.recovery_key.reveal();
    context.out << json_text(json);
    return recovery_key_told(context, options.encrypted);
  }
  context.out << "created repository " << result.repository_id << " in " << store->describe() << "\n";
  if (options.encrypted) {
    context.out << "\nRecovery key (shown once; opens the repository when the passphrase is lost):\n\n    "
                << result.recovery_key.reveal() << "\n\nKeep it away from this machine.\n";
  } else {
    context.out << "Not encrypted: whoever reads the store reads your data.\n";
  }
  context.out << "Next: anclora capture --source redis://HOST:6379 --repo " << repo << "\n";
  return recovery_key_told(context, options.encrypted);
}

}  // namespace

void add_init_command(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<InitArguments>();
  CLI::App* command = app.add_subcommand("init", "create a repository");
  command->add_option("repository", arguments->repo,
                      "where: a path, file:///path or s3://bucket/prefix (default: --repo)");
  command->add_flag("--no-encryption", arguments->no_encryption, "keep compression and checksums, but no secrecy");
  command->add_flag("--single-writer", arguments->single_writer,
                    "accept a store that cannot refuse to overwrite: you promise that one capture at a time writes");
  command->footer("Example: anclora init /srv/redis-backup --passphrase-file /etc/anclora/passphrase");
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_init(context, *arguments); }; });
}

}  // namespace anclora::app
