#include "app/daemon/local_sightings.h"

#include "app/daemon/mirror_note.h"
#include "app/daemon/state_folder.h"
#include "protect/capture/outbox.h"

namespace anclora::app {

std::vector<protect::Sighting> local_sightings(const CommandContext& context, storage::ReadStore& store,
                                               const std::vector<std::string>& sources) {
  std::vector<protect::Sighting> sightings;
  const auto config = store.head(storage::layout::config());
  if (!config) return sightings;
  const std::string& repository = context.options.repo;
  for (const std::string& source : sources) {
    const std::string folder = state_folder(context.environment, repository, source);
    const auto chain = protect::Outbox::read_chain(context.files, folder);
    const auto file = context.files.stat(folder + "/chain");
    if (!file || file->modified < config->modified || !chain || !*chain || (*chain)->tip.next_sequence == 0) continue;
    const storage::ChainTip& tip = (*chain)->tip;
    sightings.push_back({{source, tip.timeline.value, tip.next_sequence - 1, 0}, "capture's state in " + folder});
  }
  const auto notes = mirror_notes_about(context.files, mirror_note_folder(context.environment), place_of(repository));
  if (!notes) return sightings;
  for (const MirrorNote& note : *notes) {
    if (note.as_of < config->modified) continue;
    for (const auto& [source, newest] : note.newest)
      sightings.push_back(
          {{source, newest.timeline, newest.sequence, 0}, "the mirror " + note.from + " -> " + note.to});
  }
  return sightings;
}

}  // namespace anclora::app
