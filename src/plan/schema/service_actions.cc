// Configuration, services, traffic and programs of the user's own.
#include "plan/schema/catalogue_parts.h"

namespace anclora::plan {

void add_service_actions(std::vector<ActionSchema>& actions) {
  const Parameter configuration = required(target("target", {"configuration"}, "the configuration"));
  actions.push_back(undoable(changing(
      "config.put", "sets one value, and keeps the old one",
      {configuration, required(text("key", "the name of the value")), reference("value", "the value"),
       steps_used("from", "steps that left the value: the first of them that ran counts"),
       choice("output", {"url", "address", "version", "position"}, "which of their outputs (default: url)")})));
  actions.push_back(undoable(changing("config.restore", "puts a kept configuration back, after showing the difference",
                                      {configuration, required(reference("from", "the copy: env: or file: reference")),
                                       texts("only", "keys to restore (default: all)")})));
  const Parameter service = required(target("target", {"service"}, "the service"));
  actions.push_back(undoable(
      changing("service.scale", "runs this many instances, and waits until they run",
               {service, integer("count", "how many"), boolean("recorded", "as many as before the disaster")})));
  actions.push_back(
      undoable(changing("service.stop", "stops every instance, and waits until none runs",
                        {service, duration("grace", "then it is killed (default: its supervisor's own time)")})));
  actions.push_back(undoable(changing("service.start", "starts the instances, and waits until they run",
                                      {service, integer("count", "how many (default: as before)")})));
  actions.push_back(
      changing("service.restart", "stops, waits and starts: no two generations at once",
               {service, choice("mode", {"stop-start"}, "the only one: rolling leaves two generations on two servers"),
                duration("grace", "then it is killed (default: its supervisor's own time)")}));
  actions.push_back(undoable(changing("traffic.flip", "sends the users to another place",
                                      {required(target("target", {"traffic"}, "what is flipped")),
                                       required(text("to", "the answer's name in the target's `answers`"))})));
  actions.push_back(observing("traffic.verify", "asks where the users are sent, of every resolver",
                              {required(target("target", {"traffic"}, "what was flipped")),
                               required(text("to", "the answer's name")), integer("in_a_row", "good answers needed")}));
  ActionSchema exec =
      changing("exec", "runs a program of the target's allow-list, without a shell",
               {required(target("target", {"command"}, "the allow-list")),
                required(arguments("argv", "the program and its arguments, one item each")),
                boolean("check", "it checks only, and changes nothing"), text("directory", "where it runs"),
                integer("exit_code", "the one that means success (default: 0)")});
  exec.idempotent = false;
  actions.push_back(unproven(std::move(exec)));
}

}  // namespace anclora::plan
