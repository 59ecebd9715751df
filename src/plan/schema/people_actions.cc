#include "plan/schema/catalogue_parts.h"

namespace anclora::plan {

void add_people_actions(std::vector<ActionSchema>& actions) {
  const auto people = [&](ActionSchema made) {
    made.mutates = false;
    made.plane = Plane::kNone;
    actions.push_back(std::move(made));
  };
  const Parameter roles = ids_of("roles", "roles", "who may do it");
  people(changing("people.declare", "a person declares the incident",
                  {roles, text("text", "what is asked"), id_of("severity", "severity", "the severity to declare")}));
  people(changing("people.approve", "m of n people approve what comes next",
                  {required(roles), integer("need", "how many (default: 1)"), text("text", "what they approve")}));
  // Telling acts on the outside; a repeat leaves out who was told, and carries the same key for who folds by it.
  people(changing("people.notify", "tells people, each by all their channels",
                  {required(contacts("contacts", "contacts or roles")), required(text("text", "the message"))}));
  actions.back().mutates = true;
  people(changing("people.page", "calls people, one after the other, until one acknowledges",
                  {required(contacts("contacts", "contacts or roles, in order")), required(text("text", "the message")),
                   duration("acknowledge_within", "then the next one is called (default: no answer is awaited)"),
                   choice("unanswered", {"fail", "proceed"}, "when nobody acknowledges (default: fail)")}));
  actions.back().mutates = true;
  actions.back().by_person = true;
  people(changing("people.manual", "a person does it by hand and says what was seen",
                  {required(text("text", "what to do")), roles,
                   choice("evidence", {"none", "text", "file"}, "what must be given (default: text)")}));
  actions.back().by_person = true;
}

}  // namespace anclora::plan
