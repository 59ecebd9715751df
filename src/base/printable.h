// Text from users and data, made safe for a terminal and a log.
#pragma once

#include <string>
#include <string_view>

namespace anclora {

// UTF-8 as it is, newlines and tabs too. Every other control character, which could steer a terminal, every one that
// shows others in another order, and every byte that is no UTF-8 is spelt out: \x1b, \u009b, \u202e (as JSON spells it,
// what JSON leaves as it is).
std::string printable_text(std::string_view text);
// The same for a text that stands within a line: newlines and tabs are spelt out, too.
std::string printable_line(std::string_view text);

// One word of a command to be copied into a POSIX shell: quoted where it has to be.
std::string shell_word(std::string_view text);

// Makes a terminal show characters in another order than they stand there: embeddings, overrides, isolates (Unicode
// Standard Annex 9).
bool reorders(char32_t point);

// How many bytes at the end of `text` are the beginning of a character whose rest may still come: 0 to 3.
std::size_t unfinished_character(std::string_view text);

}  // namespace anclora
