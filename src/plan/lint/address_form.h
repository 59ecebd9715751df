// What an address looks like, and when two of them are one place. Pure: nothing is asked, no name is looked up.
#pragma once

#include <string>
#include <string_view>

namespace anclora::plan {

// "env:NAME", "file:/path": read when it is needed, judged then.
bool is_reference(std::string_view text);

// Each: what is wrong with the address, as the end of a sentence ("has no host"); empty when nothing is.
std::string complaint_of_http(std::string_view text);
std::string complaint_of_redis(std::string_view text);
std::string complaint_of_repository(std::string_view text);
std::string complaint_of_mail_server(std::string_view text);

// The same text for addresses that are spelt differently and mean the same: case of the host, default port, the names
// of this machine, "//" and ".." in a path. A reference is what it is.
std::string canonical_address(std::string_view text);

}  // namespace anclora::plan
