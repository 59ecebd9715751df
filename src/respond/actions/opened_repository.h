// A plan's repository target, opened, and one source in it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "protect/restore/source_view.h"
#include "respond/runbook/action.h"
#include "storage/repository/repository.h"
#include "storage/store/store.h"

namespace anclora::respond {

struct OpenedRepository {
  std::unique_ptr<storage::Store> store;
  storage::Repository repository;
};
// Opens what a repository target names, with its passphrase; given by app/, which knows stores.
using OpenRepository = std::function<Result<OpenedRepository>(StepContext&, const plan::Target&)>;

// The repository and source that a step's `repository` and `source` name; without `source` the only one there. A source
// that an opened repository does not hold is kFailedPrecondition: unlike what is away, it does not come by waiting.
struct ChosenSource {
  OpenedRepository opened;
  std::string source;
  storage::SourceState state;
  protect::SourceView view() const { return {*opened.store, opened.repository, state}; }
};
Result<ChosenSource> choose_source(StepContext& context, const OpenRepository& open);

}  // namespace anclora::respond
