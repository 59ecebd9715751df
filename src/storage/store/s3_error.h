// What an S3 server's refusal means, in our words.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "storage/store/http_client.h"

namespace anclora::storage {

// "NoSuchKey", "SlowDown", ...; "" when the body has none (HEAD, a proxy's page).
std::string s3_error_code(const HttpResponse& response);

// The error for an answer that is no success. `where` is the store ("s3://bucket/prefix"), `what` the request ("PUT
// config"), `here` this machine's clock. What the server says is quoted with control bytes escaped.
Error s3_error(const HttpResponse& response, std::string_view where, std::string_view what, WallTime here);

}  // namespace anclora::storage
