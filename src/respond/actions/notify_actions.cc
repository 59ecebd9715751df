#include "respond/actions/notify_actions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <mutex>

#include "plan/lint/plan_lookup.h"
#include "plan/model/value_access.h"

namespace anclora::respond {
namespace {

constexpr Duration kLookEvery = std::chrono::milliseconds(250);
constexpr Duration kLeftForTheRest = std::chrono::milliseconds(200);  // of the step's time, when all channels hang

std::string kept_name(const std::string& contact, std::uint32_t index) {
  return fmt::format("told.{}.{}", contact, index);
}

// The severity of the scenario that has this step.
std::string severity_of(const plan::Plan& plan, const plan::Step& step) {
  for (const plan::Scenario& scenario : plan.scenarios)
    for (const auto* steps : scenario.step_lists())
      for (const plan::Step& known : *steps)
        if (known.id == step.id && known.place == step.place) return scenario.severity;
  return {};
}

struct Tally {
  std::uint32_t sent = 0, failed = 0, limited = 0;
  std::vector<std::string> unreached;  // contacts with a channel that failed and none that took it
};

class TellingAction : public Action {
 public:
  explicit TellingAction(const ChannelMeans& means) : means_(means) {}

  Result<Observation> probe(StepContext& context) override {
    const std::vector<std::string> names = names_of(context);
    Observation seen;
    seen.done = Done::kNo;
    seen.current = "not told yet";
    seen.desired = fmt::format("{} told", fmt::join(names, ", "));
    seen.call = fmt::format("tell {}: {}", ways(context), text_of(context));
    if (!all_told(context, names) || !answered_by_telling(context)) return seen;
    seen.done = Done::kYes;
    seen.current = "told";
    seen.outputs = outputs_of(tally(context, names));
    return seen;
  }

  Status verify(StepContext&) override { return {}; }  // taken over by the other side: more cannot be seen from here
  Result<Outcome> undo(StepContext&) override {
    return Error(ErrorKind::kUnsupported, "what was said cannot be taken back", "tell them that it is void");
  }

 protected:
  // Whether having been told is all that the step wants.
  virtual bool answered_by_telling(const StepContext& context) const = 0;

  static std::vector<std::string> names_of(const StepContext& context) {
    return plan::texts_of(context.step().with, "contacts");
  }
  static std::string text_of(const StepContext& context) { return plan::text_of(context.step().with, "text"); }

  Message message_of(StepContext& context, MessageKind kind) const {
    const plan::Plan& plan = context.plan();
    const std::string text = text_of(context);
    Message message;
    message.kind = kind;
    message.urgency = kind == MessageKind::kAlert ? urgency_of(severity_of(plan, context.step())) : Urgency::kInfo;
    message.service = plan.service;
    message.subject = fmt::format("{}{}: {}", context.drill() ? "DRILL: " : "", plan.service, text);
    message.text = context.drill() ? "This is a drill." : "";
    message.run = context.run_id();
    message.dedup_key = "run/" + context.run_id();
    message.at = context.clock().wall_now();
    // Another attempt, which a person or the plan wanted, calls again; one attempt that goes on knows whom it told.
    message.call = fmt::format("{}/{}", context.step().id, format_rfc3339(message.at));
    return message;
  }

  // Tells those who have not been told by an earlier attempt.
  Result<Tally> tell(StepContext& context, const std::vector<std::string>& names, const Message& message) {
    RETURN_IF_ERROR(context.before_change(fmt::format("tell {}", fmt::join(names, ", "))));
    const Outputs kept = context.kept();
    std::mutex mutex;  // a context is for one thread at a time
    const ReferenceLookup lookup = [&](std::string_view reference) {
      const std::lock_guard lock(mutex);
      return context.resolve(reference);
    };
    Notifier notifier(context.plan(), lookup, means_);
    Status written;
    Notifier::Call call;
    call.contacts = names;
    call.bound = std::max<Duration>(context.deadline() - context.clock().mono_now() - kLeftForTheRest,
                                    std::chrono::milliseconds(1));
    call.cancelled = [&] { return context.cancelled(); };
    call.skip = [&](const plan::Contact& contact, std::uint32_t index) {
      const auto told = kept.find(kept_name(contact.id, index));
      return told != kept.end() && told->second == to_string(DeliveryState::kSent);
    };
    call.told = [&](const Delivery& delivery) {
      const std::lock_guard lock(mutex);
      context.note(fmt::format("{} by {}: {}, {}", delivery.contact, delivery.channel, to_string(delivery.state),
                               delivery.detail));
      const Status keeping = context.keep(kept_name(delivery.contact, delivery.index), to_string(delivery.state));
      if (!keeping) written = keeping;
    };
    notifier.tell(call, message);
    RETURN_IF_ERROR(written);
    return tally(context, names);
  }

  static Outputs outputs_of(const Tally& tally) {
    return {{"sent", std::to_string(tally.sent)},
            {"failed", std::to_string(tally.failed)},
            {"limited", std::to_string(tally.limited)}};
  }

  static Status check_reached(const Tally& tally) {
    if (tally.unreached.empty()) return {};
    return Error(ErrorKind::kUnavailable, fmt::format("no channel reached {}", fmt::join(tally.unreached, ", ")),
                 "the notes above say why; try one alone: anclora plan test-contacts PLAN --contact ID");
  }

 private:
  static std::string ways(const StepContext& context) {
    std::string out;
    for (const plan::Contact* contact : plan::people_of(context.plan(), names_of(context))) {
      std::vector<std::string> kinds;
      kinds.reserve(contact->channels.size());
      for (const plan::Channel& channel : contact->channels) kinds.push_back(channel.kind);
      out += fmt::format("{}{} by {}", out.empty() ? "" : "; ", contact->id, fmt::join(kinds, " and "));
    }
    return out;
  }

  static Tally tally(const StepContext& context, const std::vector<std::string>& names) {
    const Outputs kept = context.kept();
    Tally counted;
    for (const plan::Contact* contact : plan::people_of(context.plan(), names)) {
      bool reached = false;
      bool failed = false;
      for (std::uint32_t i = 0; i < contact->channels.size(); ++i) {
        const auto told = kept.find(kept_name(contact->id, i));
        const std::string state = told == kept.end() ? std::string() : told->second;
        counted.sent += state == "sent" ? 1 : 0;
        counted.failed += state == "failed" ? 1 : 0;
        counted.limited += state == "limited" ? 1 : 0;
        reached = reached || state == "sent" || state == "limited";
        failed = failed || state == "failed";
      }
      if (failed && !reached) counted.unreached.push_back(contact->id);
    }
    return counted;
  }

  static bool all_told(const StepContext& context, const std::vector<std::string>& names) {
    const Outputs kept = context.kept();
    for (const plan::Contact* contact : plan::people_of(context.plan(), names))
      for (std::uint32_t i = 0; i < contact->channels.size(); ++i)
        if (!kept.contains(kept_name(contact->id, i))) return false;
    return tally(context, names).unreached.empty();
  }

  const ChannelMeans means_;
};

class NotifyAction final : public TellingAction {
 public:
  using TellingAction::TellingAction;

  Result<Outcome> execute(StepContext& context) override {
    ASSIGN_OR_RETURN(const Tally told, tell(context, names_of(context), message_of(context, MessageKind::kUpdate)));
    RETURN_IF_ERROR(check_reached(told));
    return Outcome{fmt::format("told {}", fmt::join(names_of(context), ", ")), outputs_of(told)};
  }

 private:
  bool answered_by_telling(const StepContext&) const override { return true; }
};

class PageAction final : public TellingAction {
 public:
  PageAction(const ChannelMeans& means, AcknowledgedBy acknowledged)
      : TellingAction(means), acknowledged_(std::move(acknowledged)) {}

  Result<Outcome> execute(StepContext& context) override {
    const Duration within = plan::duration_of(context.step().with, "acknowledge_within");
    const std::vector<std::string> names = names_of(context);
    Message message = message_of(context, MessageKind::kAlert);
    if (within == Duration::zero()) {
      ASSIGN_OR_RETURN(const Tally told, tell(context, names, message));
      RETURN_IF_ERROR(check_reached(told));
      return Outcome{fmt::format("paged {}", fmt::join(names, ", ")), outputs_of(told)};
    }
    message.acknowledge = fmt::format("anclora run done {} --run {} --as YOU --evidence \"I have it\"",
                                      context.step().id, context.run_id());
    Tally told;
    for (const std::string& name : names) {
      ASSIGN_OR_RETURN(told, tell(context, {name}, message));
      ASSIGN_OR_RETURN(const std::optional<std::string> who, wait_for_answer(context, within));
      if (!who) {
        RETURN_IF_ERROR(ask_again_later(context, name));
        continue;
      }
      Outputs outputs = outputs_of(told);
      outputs["acknowledged_by"] = *who;
      return Outcome{*who + " has it", std::move(outputs)};
    }
    const std::string silence = fmt::format("nobody of {} acknowledged", fmt::join(names, ", "));
    if (plan::text_of(context.step().with, "unanswered") == "proceed") return Outcome{silence, outputs_of(told)};
    return Error(ErrorKind::kDeadlineExceeded, silence, "call them, then: anclora run done " + context.step().id);
  }

 private:
  bool answered_by_telling(const StepContext& context) const override {
    return plan::duration_of(context.step().with, "acknowledge_within") == Duration::zero();
  }

  // Whoever was told and kept silent is told again by the next attempt: being skipped would page nobody.
  static Status ask_again_later(StepContext& context, const std::string& name) {
    const Outputs kept = context.kept();
    for (const plan::Contact* contact : plan::people_of(context.plan(), {name}))
      for (std::uint32_t i = 0; i < contact->channels.size(); ++i)
        if (const auto told = kept.find(kept_name(contact->id, i));
            told != kept.end() && told->second == to_string(DeliveryState::kSent))
          RETURN_IF_ERROR(context.keep(told->first, "unanswered"));
    return {};
  }

  Result<std::optional<std::string>> wait_for_answer(StepContext& context, Duration within) const {
    const MonoTime until = context.clock().mono_now() + within;
    while (true) {
      if (context.cancelled()) return Error(ErrorKind::kCancelled, "nobody waits for the answer any more");
      if (acknowledged_)
        if (auto who = acknowledged_(context.run_id())) return who;
      const MonoTime now = context.clock().mono_now();
      if (now >= until || now >= context.deadline()) return std::optional<std::string>();
      context.clock().sleep_for(std::min<Duration>(kLookEvery, until - now));
    }
  }

  const AcknowledgedBy acknowledged_;
};

}  // namespace

std::unique_ptr<Action> make_people_notify(const ChannelMeans& means) { return std::make_unique<NotifyAction>(means); }
std::unique_ptr<Action> make_people_page(const ChannelMeans& means, AcknowledgedBy acknowledged) {
  return std::make_unique<PageAction>(means, std::move(acknowledged));
}

}  // namespace anclora::respond
