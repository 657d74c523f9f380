// Instruction sets of the processor, for reports and for the choice of a build.
#pragma once

#include <string>
#include <vector>

namespace gruworks {

std::vector<std::string> instruction_sets();
bool supports(const char* instruction_set);  // a name of instruction_sets()

}  // namespace gruworks
