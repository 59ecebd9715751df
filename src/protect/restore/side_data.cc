#include "protect/restore/side_data.h"

#include "storage/journal/frame_codec.h"

namespace anclora::protect {

Result<std::string> side_data_of(storage::ReadStore& store, const storage::Repository& repository,
                                 const RestorePlan& plan, const std::function<void(const std::string&)>& warn) {
  const storage::BaseInfo& base = plan.route.base;
  const std::string name = storage::layout::side(plan.source, base.timeline, base.name);
  auto sealed = store.get(name);
  if (!sealed) {
    if (sealed.error().kind() == ErrorKind::kNotFound) return std::string();
    return sealed.error();
  }
  auto side = storage::open_object(repository.key(), name, *sealed);
  if (side) return side;
  warn(side.error().message() + "; databases and modules of the target are not checked");
  return std::string();
}

}  // namespace anclora::protect
