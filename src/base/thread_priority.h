// How a thread stands back behind others when the machine has more to do than processors.
#pragma once

namespace anclora {

// Makes the calling thread, and no other of the process, nicer by `steps` (setpriority(2): each gives about a fifth of
// its share to whoever else wants the processor; with a free processor it changes nothing). Adds to what the thread
// has, up to 19. Always permitted.
void be_nicer(int steps);

}  // namespace anclora
