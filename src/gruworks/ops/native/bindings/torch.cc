#include "bindings/torch.h"

#include <algorithm>

namespace gruworks {
namespace {

struct Tensor {  // DLTensor
  void* data;
  int32_t device_type, device;
  int32_t axes;
  uint8_t type, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t offset;
};
constexpr int32_t kCPU = 1;
constexpr uint8_t kFloat = 2;

struct Exchange {  // DLPackExchangeAPI of DLPack 1.2; functions return 0, or set a Python error
  uint32_t major, minor;
  Exchange* previous;
  void *allocate, *from_object, *to_object;
  int (*view)(PyObject*, Tensor*);
  void* stream;
};

// Objects of torch's that are needed in every call. Never released: the interpreter may be gone by then.
struct Torch {
  const Exchange* exchange;
  PyTypeObject *tensor, *parameter;
  PyObject *empty, *float32, *float64, *cpu, *strided, *keywords, *address;
};
Torch torch;

PyObject* name(const char* text) {
  PyObject* const made = PyUnicode_InternFromString(text);
  if (!made) throw nb::python_error();
  return made;
}

bool of_torch(nb::handle tensor) {
  PyTypeObject* const type = Py_TYPE(tensor.ptr());
  return type == torch.tensor || type == torch.parameter;
}

// Null without a Python error where the tensor has no such method or attribute.
nb::object call(nb::handle tensor, PyObject* method) {
  PyObject* const self = tensor.ptr();
  PyObject* const found = PyObject_VectorcallMethod(method, &self, 1, nullptr);
  if (!found) PyErr_Clear();
  return nb::steal(found);
}
nb::object get(nb::handle tensor, PyObject* attribute) {
  PyObject* const found = PyObject_GetAttr(tensor.ptr(), attribute);
  if (!found) PyErr_Clear();
  return nb::steal(found);
}

bool negated(nb::handle tensor) {
  static PyObject* const is_neg = name("is_neg");
  return call(tensor, is_neg).ptr() != Py_False;
}

// Memory of a dense CPU tensor, with lazy negation or not.
bool memory_of(nb::handle tensor, size_t bytes, View& view) {
  if (!of_torch(tensor)) return false;
  Tensor t;
  if (torch.exchange->view(tensor.ptr(), &t)) {
    PyErr_Clear();
    return false;
  }
  if (t.device_type != kCPU || t.type != kFloat || t.bits != 8 * bytes || t.axes > 3 || !t.data) return false;
  view.data = t.data, view.axes = t.axes;
  std::copy_n(t.shape, t.axes, view.size);
  std::copy_n(t.strides, t.axes, view.stride);
  return true;
}

bool sizes_of(nb::handle tuple, Index (&into)[3], Index& axes) {
  if (!tuple.ptr() || !PyTuple_Check(tuple.ptr())) return false;
  axes = PyTuple_Size(tuple.ptr());
  for (Index i = 0; axes <= 3 && i < axes; ++i) into[i] = PyLong_AsSsize_t(PyTuple_GetItem(tuple.ptr(), i));
  return axes <= 3 && !PyErr_Occurred();
}

}  // namespace

bool View::fills(std::initializer_list<Index> shape) const {
  Index gap = 1, i = axes;
  if (axes != static_cast<Index>(shape.size())) return false;
  while (i-- > 0) {
    const Index wanted = shape.begin()[i];
    if (size[i] != wanted || (wanted > 1 && stride[i] != gap)) return false;
    gap *= wanted;
  }
  return true;
}

bool read(nb::handle tensor, size_t bytes, View& view) { return memory_of(tensor, bytes, view) && !negated(tensor); }

bool read_shared(nb::handle tensor, size_t bytes, View& view) {
  static PyObject* const names[] = {name("dtype"), name("is_cpu"), name("layout"), name("shape"), name("stride")};
  if (!of_torch(tensor) || get(tensor, names[0]).ptr() != (bytes == 8 ? torch.float64 : torch.float32) ||
      get(tensor, names[1]).ptr() != Py_True || get(tensor, names[2]).ptr() != torch.strided || negated(tensor))
    return false;
  Index axes = 0;
  if (!sizes_of(get(tensor, names[3]), view.size, view.axes) || !sizes_of(call(tensor, names[4]), view.stride, axes))
    return false;
  const nb::object address = call(tensor, torch.address);
  view.data = address.ptr() ? PyLong_AsVoidPtr(address.ptr()) : nullptr;
  return view.data;
}

nb::object make(size_t bytes, const Index* sizes, Index axes, void*& data) {
  PyObject* arguments[5];
  nb::object kept[3];
  for (Index i = 0; i < axes; ++i) kept[i] = nb::steal(arguments[i] = PyLong_FromSsize_t(sizes[i]));
  // With torch's defaults at first: parsing the type and the device takes a third of the time.
  for (PyObject* keywords : {static_cast<PyObject*>(nullptr), torch.keywords}) {
    arguments[axes] = bytes == 8 ? torch.float64 : torch.float32, arguments[axes + 1] = torch.cpu;
    nb::object made = nb::steal(PyObject_Vectorcall(torch.empty, arguments, axes, keywords));
    if (!made.ptr()) throw nb::python_error();
    View view;
    if (memory_of(made, bytes, view)) {
      data = view.data;
      return made;
    }
  }
  throw nb::type_error("torch.empty made another tensor than a strided one on the CPU");
}

nb::object make(size_t bytes, std::initializer_list<Index> sizes, void*& data) {
  return make(bytes, sizes.begin(), static_cast<Index>(sizes.size()), data);
}

void bind_torch(nb::module_& module) {
  module.def("connect_torch", [](nb::capsule exchange, nb::handle tensor, nb::handle parameter, nb::handle empty,
                                 nb::handle float32, nb::handle float64, nb::handle cpu, nb::handle strided) {
    const auto* const found = static_cast<const Exchange*>(exchange.data("dlpack_exchange_api"));
    if (found->major != 1) return false;
    for (nb::handle one : {tensor, parameter, empty, float32, float64, cpu, strided}) one.inc_ref();
    torch = {found, reinterpret_cast<PyTypeObject*>(tensor.ptr()), reinterpret_cast<PyTypeObject*>(parameter.ptr()),
             empty.ptr(), float32.ptr(), float64.ptr(), cpu.ptr(), strided.ptr(),
             PyTuple_Pack(2, name("dtype"), name("device")),
             name(nb::hasattr(tensor, "const_data_ptr") ? "const_data_ptr" : "data_ptr")};
    return true;
  }, "Let plain calls read and make torch's tensors; false where DLPack's exchange API has another major version.");
}

}  // namespace gruworks
