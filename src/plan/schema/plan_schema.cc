#include "plan/schema/plan_schema.h"

#include "plan/schema/parameters.h"
#include "plan/schema/target_schema.h"

namespace anclora::plan {
namespace {

std::vector<std::string> kinds(const std::vector<TargetSchema>& schemas) {
  std::vector<std::string> names;
  names.reserve(schemas.size());
  for (const TargetSchema& schema : schemas) names.push_back(schema.kind);
  return names;
}

Parameters condition_fields() {
  return {required(probe("probe", "the probe")), choice("is", {"up", "down", "unknown"}, "default: down"),
          integer("at_least", "vantage points that see it (default: 1)")};
}

Parameters approval_fields() {
  return {required(ids_of("roles", "roles", "who may approve")), integer("need", "how many of them (default: 1)"),
          required(duration("timeout", "how long is waited; counts against the RTO")),
          choice("on_timeout", {"escalate", "proceed", "abort"}, "default: escalate")};
}

Parameter action(std::string name, std::string prefix, std::string help) {
  return required(parameter(std::move(name), ParameterType::kAction, std::move(help), {std::move(prefix)}));
}

Parameters step_fields() {
  return {action("uses", "", "the action's name"),
          parameter("with", ParameterType::kWith, "what the action takes"),
          steps_used("needs", "steps that must be done before"),
          duration("budget", "what the proof of the RTO counts"),
          duration("timeout", "the engine gives up after this"),
          integer("retry", "more attempts after a failure (default: 0)"),
          object("approve", approval_fields(), "people approve before it runs"),
          boolean("undo", "whether run undo may undo it (default: true)")};
}

Parameter objectives() {
  return required(object(
      "objectives",
      {required(items("severity", {required(duration("rto", "target")), required(duration("rto_max", "maximum"))},
                      "recovery time, by severity")),
       required(items("data",
                      {required(duration("rpo", "the most that may be lost")),
                       choice("proof", {"beacon", "backup", "catalogue"}, "how it is measured (default: backup)"),
                       targets("targets", {}, "what holds this data")},
                      "recovery point, by kind of data"))},
      "what is promised"));
}

Parameter target_items(std::string name, std::string help) {
  Parameter made =
      items(std::move(name),
            {required(choice("kind", kinds(target_schemas()), "what it is")), id_of("site", "sites", "where it is"),
             target("standby_of", {}, "the target that it replaces")},
            std::move(help));
  made.variant = Variant::kTarget;
  return made;
}

Parameter backups() {
  return items(
      "backups",
      {required(target("target", {}, "what is protected")),
       target("repository", {"repository"}, "where the copies are"),
       required(id_of("data", "data", "the objective that it serves")),
       boolean("continuous", "each write, as it happens"), duration("every", "how often, when not continuous"),
       duration("lag", "how far it may be behind"),
       object("keep",
              {duration("every_moment", "any moment of the last"), duration("hourly", "one point an hour of the last"),
               duration("daily", "one point a day of the last"), duration("weekly", "one point a week of the last"),
               duration("monthly", "one point a month of the last")},
              "retention, as expire --keep-... takes it")},
      "what makes the copies");
}

Parameter scenarios() {
  return required(items(
      "scenarios",
      {required(text("title", "for people")), required(id_of("severity", "severity", "decides the RTO")),
       text("impact", "what the users see"), object("declare", approval_fields(), "who declares it, and how fast"),
       items("prepare", step_fields(), "of a drill: before its disaster"),
       items("inject", step_fields(), "a drill's disaster"),
       items("cleanup", step_fields(), "of a drill: always in the end, the sandbox as it was"),
       required(items("steps", step_fields(), "the recovery")),
       objects("restored", condition_fields(), "stops the RTO clock"),
       items("after", step_fields(), "work after it, outside the RTO"),
       duration("undo_window", "how long run undo is offered")},
      "what may happen, and what is done"));
}

Parameter contact_items() {
  Parameter channels = required(objects("channels",
                                        {required(choice("kind", kinds(channel_schemas()), "how")),
                                         target("depends_on", {}, "a target without which it does not work")},
                                        "how to reach them"));
  channels.variant = Variant::kChannel;
  return items("contacts", {required(text("name", "for people")), texts("roles", "oncall, lead, ..."), channels},
               "who is told");
}

std::vector<Parameter> make_schema() {
  const Parameters level = {
      required(id_of("severity", "severity", "for incidents of this severity")),
      required(contacts("contacts", "contacts or roles")),
      choice("when", {"after", "forecast_over_rto", "elapsed_over_rto", "elapsed_over_rto_max"}, "default: after"),
      duration("after", "this long after the declaration (may be 0)"),
      duration("acknowledge_within", "then the next level is told")};
  return {
      required(text("version", "1")),
      required(text("service", "what is protected")),
      objectives(),
      required(items("sites", {text("region", "cloud region"), boolean("primary", "it normally serves")},
                     "places that fail together")),
      required(target_items("targets", "what the plan acts on; the only place with addresses")),
      items("environments",
            {boolean("sandbox", "nothing in it is production"),
             boolean("everything", "no target of this plan is production: the plan is for rehearsals only"),
             target_items("targets", "those that differ")},
            "other addresses for the same targets: where drills run"),
      backups(),
      items("probes",
            {action("uses", "probe.", "the probe's action"), parameter("with", ParameterType::kWith, "what it takes"),
             ids_of("from", "sites", "vantage points (default: here)"),
             boolean("control", "of something unrelated: while most of these fail we are cut off, and declare nothing"),
             required(duration("every", "how often")), duration("timeout", "then it is unknown"),
             integer("bad_in_a_row", "until it is down (default: 3)"),
             integer("good_in_a_row", "until it is up (default: 3)")},
            "what is watched"),
      items("detection",
            {objects("all", condition_fields(), "each must hold"),
             objects("any", condition_fields(), "and one of these"), duration("for", "held for this long"),
             required(id_of("scenario", "scenarios", "what it proposes or starts")),
             boolean("start", "starts it without a person (default: false)"),
             duration("quiet_after",
                      "after a run another loss is told, and nothing is started until a person releases it")},
            "what counts as a disaster"),
      scenarios(),
      items("drills",
            {required(id_of("scenario", "drillable", "a scenario, or restore")),
             id_of("environment", "environments", "where"),
             required(duration("every", "how often: 30d, month, quarter, year"))},
            "rehearsals"),
      contact_items(),
      items("escalation", level, "who is told when; levels of one severity in order")};
}

}  // namespace

const std::vector<Parameter>& plan_schema() {
  static const std::vector<Parameter> schema = make_schema();
  return schema;
}

std::vector<const Parameter*> keys_of(const Parameter& parameter, std::string_view kind, std::string_view driver) {
  static const Parameter id_key = required(text("id", "its name in this plan: letters, digits, - and _"));
  std::vector<const Parameter*> keys;
  if (parameter.type == ParameterType::kMap) keys.push_back(&id_key);
  for (const Parameter& field : parameter.fields) keys.push_back(&field);
  const TargetSchema* schema = parameter.variant == Variant::kTarget    ? find_target_schema(kind)
                               : parameter.variant == Variant::kChannel ? find_channel_schema(kind)
                                                                        : nullptr;
  if (schema == nullptr) return keys;
  for (const Parameter& field : schema->parameters) keys.push_back(&field);
  if (schema->drivers.empty()) return keys;
  static const Parameter driver_key = required(text("driver", "how it is done"));
  keys.push_back(&driver_key);
  if (const DriverSchema* found = find_driver(*schema, driver))
    for (const Parameter& field : found->parameters) keys.push_back(&field);
  return keys;
}

}  // namespace anclora::plan
