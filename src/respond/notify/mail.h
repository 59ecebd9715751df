// A message as an Internet mail (RFC 5322, 2045, 2047): pure text, no network.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "respond/notify/message.h"

namespace anclora::respond {

struct MailAddresses {
  std::string from;  // name@host, see check_mail_address()
  std::string to;
  std::string host;  // ours, for Message-ID
};

// kInvalidArgument unless it is name@host in printable ASCII without spaces, quotes, brackets or lists: nothing in it
// can begin another header or name a second receiver.
Status check_mail_address(std::string_view address);

// Headers and body with CRLF, at most 76 characters a line of text. The Message-ID is the same for the same message, so
// that a mail which is sent twice can be seen to be one; everything under one dedup_key is one thread.
std::string make_mail(const Message& message, const MailAddresses& addresses, WallTime now);

// A header's value: as it is when it is plain ASCII, else in encoded words.
std::string encode_header(std::string_view text);

}  // namespace anclora::respond
