// Python binding of the attention decoder. ops/attention_decoder.py has checked shapes and types.
#include "bindings/attention_decoder.h"

#include <nanobind/stl/array.h>
#include <nanobind/stl/tuple.h>

#include "attention_decoder/decoder.h"

namespace nb = nanobind;

namespace gruworks {
namespace {

using Address = uintptr_t;  // 0: none
const float* floats(Address a) { return reinterpret_cast<const float*>(a); }

struct Decoder {
  AttentionDecoder decoder;

  // sizes: H, A, E, symbols. weights: in the order of DecoderWeights, the head's rows, scale and bias last.
  Decoder(const std::array<Index, 4>& sizes, bool before, float epsilon, const std::array<Address, 16>& w, int kind)
      : decoder({sizes[0], sizes[1], sizes[2], sizes[3], before, floats(w[0]), floats(w[1]), floats(w[2]), floats(w[3]),
                 floats(w[4]), floats(w[5]), epsilon, floats(w[6]), floats(w[7]), floats(w[8]), floats(w[9]),
                 floats(w[10]), floats(w[11]), floats(w[12]),
                 {static_cast<Narrow>(kind), reinterpret_cast<const void*>(w[13]), floats(w[14]), sizes[2]},
                 floats(w[15])}) {}

  // sources: keys, read, lengths, B, S. step: rows, tokens, both states before and after, log-probabilities.
  void step(const std::tuple<Address, Address, Address, Index, Index>& s, Index rows,
            const std::array<Address, 6>& at, const std::tuple<Address, Address, Index>& best, int threads) {
    const Sources sources{floats(std::get<0>(s)), floats(std::get<1>(s)),
                          reinterpret_cast<const int64_t*>(std::get<2>(s)), std::get<3>(s), std::get<4>(s)};
    DecoderStep what{};
    what.rows = rows, what.tokens = reinterpret_cast<const int64_t*>(at[0]);
    what.first = floats(at[1]), what.second = floats(at[2]);
    what.first_out = reinterpret_cast<float*>(at[3]), what.second_out = reinterpret_cast<float*>(at[4]);
    what.log_probabilities = reinterpret_cast<float*>(at[5]);
    what.values = reinterpret_cast<float*>(std::get<0>(best));
    what.best_symbols = reinterpret_cast<int64_t*>(std::get<1>(best)), what.best = std::get<2>(best);
    nb::gil_scoped_release release;
    decoder.step(sources, what, threads);
  }
};

}  // namespace

void bind_decoder(nb::module_& module) {
  nb::class_<Decoder>(module, "AttentionDecoder", "A decoder with attention; its states are the caller's memory.")
      .def(nb::init<const std::array<Index, 4>&, bool, float, const std::array<Address, 16>&, int>())
      .def("step", &Decoder::step);
}

}  // namespace gruworks
