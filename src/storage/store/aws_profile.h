// The AWS command line's shared files: one profile out of ~/.aws/credentials and ~/.aws/config.
#pragma once

#include <map>
#include <string>

#include "base/file_system.h"
#include "storage/store/aws_credentials.h"

namespace anclora::storage {

struct AwsProfile {
  std::string name;                           // AWS_PROFILE, else AWS_DEFAULT_PROFILE, else "default"
  std::string credentials_path;               // AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials
  std::string config_path;                    // AWS_CONFIG_FILE, else ~/.aws/config
  std::map<std::string, Secret> credentials;  // the settings of its section in each file; Secret: keys are among them
  std::map<std::string, Secret> config;

  // From the credentials file, else from the config file, else "".
  std::string setting(const std::string& key) const;
};

// Missing files are empty ones. kInvalidArgument (file:line) for a malformed line, kFailedPrecondition when a profile
// that was asked for by name stands in neither file.
Result<AwsProfile> read_aws_profile(const Environment& environment, FileSystem& files);

}  // namespace anclora::storage
