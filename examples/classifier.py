"""A GRU classifier whose state is in your hands: it learns to tell the season from 20 days of Seattle's weather."""

import pandas
import torch

from gruworks import GRU
from gruworks.data.catalogue import seattle_weather


class Classifier(torch.nn.Module):
    def __init__(self, gru=GRU):
        super().__init__()
        self.gru, self.linear = gru(10, 20), torch.nn.Linear(20, 4)

    def init_hidden(self):
        return torch.zeros(1, 20, dtype=self.linear.weight.dtype)

    def forward(self, x, hidden):  # x [T, 10], a step being [1, 10]; or N rows: x [T, N, 10], hidden [1, N, 20]
        output, hidden = self.gru(x, hidden)
        return torch.log_softmax(self.linear(output[-1]), -1), hidden


if __name__ == "__main__":
    table = pandas.read_csv(seattle_weather(), parse_dates=["date"], index_col="date")
    table = pandas.get_dummies(table.assign(range=table.temp_max - table.temp_min), dtype=float)  # ten columns
    past, scaled = len(table[:"2014"]), (table - table[:"2014"].mean()) / table[:"2014"].std()
    windows = torch.tensor(scaled.to_numpy()).float().unfold(0, 20, 1).permute(2, 0, 1)  # [T, N, 10]
    seasons = torch.tensor(table.index.month % 12 // 3).long()[19:]  # of each window's last day
    torch.manual_seed(0)
    model = Classifier()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-3)
    for _ in range(40):  # on the windows that end before 2015
        log_p, _ = model(windows[:, : past - 19], model.init_hidden()[:, None].expand(1, past - 19, 20))
        optimiser.zero_grad()
        torch.nn.functional.nll_loss(log_p, seasons[: past - 19]).backward()
        optimiser.step()
    new, hidden = seasons[past:], model.init_hidden()[:, None].expand(1, len(seasons) - past, 20)
    for day in windows[:, past:]:  # on those that begin in 2015, a step at a time, the state carried
        log_p, hidden = model(day[None], hidden)
    print(f"{(log_p.argmax(-1) == new).sum()} of {len(new)} right; the commonest season: {new.bincount().max()}")
