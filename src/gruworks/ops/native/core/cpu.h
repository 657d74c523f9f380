// Detection of instruction sets, once at load.
#pragma once

#include <string>
#include <vector>

namespace gruworks {

// Names of the instruction sets that this processor and its operating system support,
// among those that a kernel may be compiled for, from weakest to strongest.
std::vector<std::string> instruction_sets();

}  // namespace gruworks
