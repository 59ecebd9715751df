// Credentials that a container's or a machine's metadata service hands out: ECS task and EKS pod identity endpoints,
// and the EC2 instance metadata service, version 2 only.
#pragma once

#include <optional>

#include "base/file_system.h"
#include "storage/store/aws_credentials.h"

namespace anclora::storage {

// Nothing when AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are unset. Plain http is accepted only for loopback
// and the two link-local addresses that the services have.
Result<std::optional<AwsCredentials>> container_credentials(const Environment& environment, FileSystem& files);

// Nothing when AWS_EC2_METADATA_DISABLED is "true", when no service answers within two seconds, or when the machine
// has no role. AWS_EC2_METADATA_SERVICE_ENDPOINT replaces http://169.254.169.254.
Result<std::optional<AwsCredentials>> instance_credentials(const Environment& environment);

}  // namespace anclora::storage
