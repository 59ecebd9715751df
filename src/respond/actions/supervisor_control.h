// A service whose instances a supervisord holds.
#pragma once

#include <memory>

#include "respond/actions/service_control.h"
#include "respond/actions/supervisor_rpc.h"

namespace anclora::respond {

// For a target with driver supervisor: reached at its `url`, else where its `config`, else the system's own
// configuration file says. Errors name what cannot be read. Nothing is asked yet.
Result<std::unique_ptr<ServiceControl>> supervisor_control(StepContext& context, const plan::Target& target,
                                                           FileSystem& files);

// Pure: those of `all` that `programs` name as supervisorctl does ("web", "web:*", "web:web-0", "all"), in their order.
// kFailedPrecondition names a program that is not among them.
Result<std::vector<SupervisedProcess>> select_processes(const std::vector<SupervisedProcess>& all,
                                                        const std::vector<std::string>& programs);
// Pure: what they are doing.
ServiceState service_state(const std::vector<SupervisedProcess>& processes);

}  // namespace anclora::respond
