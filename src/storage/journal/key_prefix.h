// What the keys of one kind share: the text before what tells one thing from another.
#pragma once

#include <string_view>

namespace anclora::storage {

// The part of `key` up to the last ':' that stands before its first identifier, at the latest before its last segment:
// "bull:mail:" of "bull:mail:42", "bull:mail:42:lock" and "bull:mail:wait", "" of "42". An identifier is a segment of
// digits only, one with four digits in a row, or one of at least 16 bytes with three digits or more (UUIDs, hashes).
// A view into `key`. Pure.
std::string_view key_prefix(std::string_view key);

}  // namespace anclora::storage
