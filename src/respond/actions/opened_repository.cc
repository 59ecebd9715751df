#include "respond/actions/opened_repository.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "plan/model/value_access.h"
#include "storage/repository/source_state.h"

namespace anclora::respond {

Result<ChosenSource> choose_source(StepContext& context, const OpenRepository& open) {
  const plan::Target& target = context.target(plan::text_of(context.step().with, "repository"));
  ASSIGN_OR_RETURN(OpenedRepository opened, open(context, target));
  std::string source = plan::text_of(context.step().with, "source");
  if (source.empty()) {
    ASSIGN_OR_RETURN(const auto sources, storage::list_sources(*opened.store));
    if (sources.size() != 1)
      return Error(sources.empty() ? ErrorKind::kFailedPrecondition : ErrorKind::kInvalidArgument,
                   sources.empty() ? fmt::format("the repository {} holds no source yet", target.id)
                                   : fmt::format("the repository {} holds several sources: {}", target.id,
                                                 fmt::join(sources, ", ")),
                   sources.empty() ? "protect one: anclora capture" : "name one with \"source\" in the step");
    source = sources.front();
  }
  auto state = storage::load_source_state(*opened.store, opened.repository, source);
  if (!state && state.error().kind() == ErrorKind::kNotFound)
    return Error(ErrorKind::kFailedPrecondition, state.error().message(), state.error().hint());
  if (!state) return state.error();
  return ChosenSource{std::move(opened), std::move(source), std::move(*state)};
}

}  // namespace anclora::respond
