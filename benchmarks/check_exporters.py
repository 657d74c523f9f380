"""torch's dynamo exporter and nn.GRU: does onnxscript keep `linear_before_reset`? For docs/migrating.md.

    python benchmarks/check_exporters.py [FOLDER of another onnxscript]

Exports torch.nn.GRU(8, 16) by torch.onnx.export(dynamo=True), prints the attribute and the largest difference between
ONNX Runtime's output and torch's. FOLDER is put first on the path: `pip install --no-deps --target FOLDER
onnxscript==0.6.2`. Writes benchmarks/results/exporters.json.
"""

from __future__ import annotations

import io
import sys

sys.path[:0] = sys.argv[1:2]

import onnx  # noqa: E402
import onnxruntime  # noqa: E402
import onnxscript  # noqa: E402
import torch  # noqa: E402
from record import record, write  # noqa: E402


def main() -> None:
    torch.manual_seed(0)
    gru, x = torch.nn.GRU(8, 16).eval(), torch.randn(20, 3, 8)
    file = io.BytesIO()
    torch.onnx.export(gru, (x,), file, dynamo=True, verbose=False)
    model = onnx.load_from_string(file.getvalue())
    kept = [a.i for node in model.graph.node if node.op_type == "GRU" for a in node.attribute
            if a.name == "linear_before_reset"]  # fmt: skip
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    worst = float(abs(found - gru(x)[0].detach().numpy()).max())
    note = f"onnxscript {onnxscript.__version__}, torch {torch.__version__}, linear_before_reset {kept or 'absent'}"
    print(f"{worst:.2e}  {note}")
    write("exporters", [record(f"exporters/torch-dynamo/onnxscript-{onnxscript.__version__}/abs", worst, note=note)])


if __name__ == "__main__":
    main()
