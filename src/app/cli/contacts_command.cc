#include "app/cli/contacts_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "app/cli/bounded_option.h"
#include "app/cli/command_context.h"
#include "app/cli/json_text.h"
#include "plan/lint/plan_lookup.h"
#include "plan/read_plan.h"
#include "respond/notify/notifier.h"
#include "respond/runbook/step_context.h"

namespace anclora::app {
namespace {

constexpr std::uint64_t kReadLimit = 16 * kMiB;

struct Arguments {
  std::string file, text = "This is a test of how you are reached. Nothing is wrong.";
  std::vector<std::string> contacts;
  std::string timeout = "60s";
};

Result<std::vector<std::string>> choose(const plan::Plan& plan, const std::vector<std::string>& asked) {
  for (const std::string& name : asked)
    if (plan::people_of(plan, {name}).empty())
      return Error(ErrorKind::kNotFound, fmt::format("no contact or role \"{}\" in {}", name, plan.file),
                   fmt::format("the contacts are: {}", fmt::join(plan::ids_in(plan.contacts), ", ")));
  return asked.empty() ? plan::ids_in(plan.contacts) : asked;
}

respond::Message test_message(const CommandContext& context, const plan::Plan& plan, const std::string& text) {
  respond::Message message;
  message.kind = respond::MessageKind::kTest;
  message.urgency = respond::Urgency::kInfo;
  message.service = plan.service;
  message.subject = fmt::format("TEST: {}: anclora plan test-contacts", plan.service);
  message.text = text;
  message.dedup_key = "test/" + to_hex(context.random.bytes(8));
  message.at = context.clock.wall_now();
  return message;
}

// PagerDuty opens an incident for a test; this closes it again.
void resolve_test(const CommandContext& context, respond::Notifier& notifier, const std::vector<std::string>& contacts,
                  respond::Message message) {
  message.kind = respond::MessageKind::kResolved;
  const auto others = [](const plan::Contact& contact, std::uint32_t index) {
    return contact.channels[index].kind != "pagerduty";
  };
  for (const respond::Delivery& closed :
       notifier.tell({.contacts = contacts, .skip = others, .cancelled = stop_requested}, message))
    if (closed.state == respond::DeliveryState::kFailed)
      context.err << fmt::format("warning: the test at PagerDuty for {} is not closed again, do it by hand: {}\n",
                                 closed.contact, closed.detail);
}

nlohmann::json to_json(const respond::Delivery& delivery) {
  return {{"contact", delivery.contact},      {"channel", delivery.channel},
          {"number", delivery.index + 1},     {"state", respond::to_string(delivery.state)},
          {"detail", delivery.detail},        {"attempts", delivery.attempts},
          {"at", format_rfc3339(delivery.at)}};
}

void print(const CommandContext& context, const std::vector<respond::Delivery>& deliveries) {
  if (context.options.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const respond::Delivery& delivery : deliveries) list.push_back(to_json(delivery));
    context.out << json_text(nlohmann::ordered_json{{"deliveries", list}});
    return;
  }
  for (const respond::Delivery& delivery : deliveries)
    context.out << fmt::format("{:<20} {:<10} {:<8} {}\n", delivery.contact, delivery.channel,
                               respond::to_string(delivery.state), delivery.detail);
}

Result<int> run_test_contacts(const CommandContext& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const Duration timeout, duration_option("--timeout", arguments.timeout,
                                                           std::chrono::milliseconds(100), std::chrono::seconds(60)));
  ASSIGN_OR_RETURN(const std::string path, context.files.resolve(arguments.file));
  ASSIGN_OR_RETURN(const Bytes bytes, context.files.read_all(path, kReadLimit));
  ASSIGN_OR_RETURN(const plan::Plan plan, plan::read_plan(arguments.file, bytes));
  ASSIGN_OR_RETURN(const std::vector<std::string> contacts, choose(plan, arguments.contacts));
  const respond::ReferenceLookup lookup = [&context](std::string_view reference) {
    return respond::resolve_reference(context.files, context.environment, reference);
  };
  respond::Notifier notifier(plan, lookup, {context.clock, context.files, context.random});
  const respond::Message message = test_message(context, plan, arguments.text);
  const auto deliveries = notifier.tell({.contacts = contacts, .cancelled = stop_requested, .bound = timeout}, message);
  resolve_test(context, notifier, contacts, message);
  print(context, deliveries);
  std::set<std::string> unreached;
  bool failed = false;
  for (const plan::Contact* contact : plan::people_of(plan, contacts)) unreached.insert(contact->id);
  for (const respond::Delivery& delivery : deliveries) {
    failed = failed || delivery.state == respond::DeliveryState::kFailed;
    if (delivery.state == respond::DeliveryState::kSent) unreached.erase(delivery.contact);
  }
  if (!unreached.empty() && !context.options.json)
    context.out << fmt::format("nothing reaches {}\n", fmt::join(unreached, ", "));
  return failed || !unreached.empty() ? 1 : 0;
}

}  // namespace

void add_test_contacts(CLI::App& plan_command, CommandContext& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      plan_command.add_subcommand("test-contacts", "sends a test message by every channel of the contacts");
  command->add_option("file", arguments->file, "the plan file")->required();
  command->add_option("--contact", arguments->contacts, "a contact's id or a role; may be repeated (default: all)");
  command->add_option("--text", arguments->text, "what the message says");
  command->add_option("--timeout", arguments->timeout, "no channel is tried for longer (default and most: 60s)");
  command->footer(
      "Example: anclora plan test-contacts plans/anclora.yaml --contact oncall\n"
      "Exit code: 1 when a channel failed or somebody has none that works. Telephones are left to you.");
  command->callback([&context, arguments] {
    context.action = [&context, arguments] { return run_test_contacts(context, *arguments); };
  });
}

}  // namespace anclora::app
