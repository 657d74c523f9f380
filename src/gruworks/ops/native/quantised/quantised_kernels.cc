// Kernels of the quantized stream and of the attention decoder, compiled once for each instruction set.
// Only these have builds with dot products of 8 bits.
#include "attention_decoder/step.h"
#include "quantised/narrow_project.h"
#include "quantised/narrow_step.h"

#define GRUWORKS_TEXT(name) GRUWORKS_TEXT_OF(name)
#define GRUWORKS_TEXT_OF(name) #name

namespace gruworks::GRUWORKS_ISA {

constexpr DecoderKernels decoder = {pack_affine, decode, Decode::scratch};
extern const NarrowKernels narrow;
const NarrowKernels narrow = {GRUWORKS_TEXT(GRUWORKS_ISA), kL, narrow_step, NarrowScratch::size,
                             project, project_scratch, &decoder};

}  // namespace gruworks::GRUWORKS_ISA
