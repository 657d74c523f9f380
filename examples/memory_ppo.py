"""Recurrent PPO on a memory task: a cue of four is shown once, and the answer is asked for some steps later.

Episodes of 4 to 9 steps follow each other in the rows of a rollout. `resets=` begins each of them with a state of zero
inside the sequence, so that an update is one call of the GRU over the whole rollout, without splitting or padding.
"""

import torch

from gruworks import GRU

CUES, ROWS, STEPS, UPDATES = 4, 32, 64, 80
GAMMA, LAMBDA, CLIP, EPOCHS = 0.99, 0.95, 0.2, 4


class Recall:
    """Rows of the task at once; the observation is the cue, one of four, in the first step, and 1 in the last."""

    def __init__(self):
        self.cue = self.left = torch.zeros(ROWS, dtype=torch.long)
        self.begin(torch.ones(ROWS, dtype=torch.bool))

    def begin(self, rows):
        self.cue = torch.where(rows, torch.randint(CUES, (ROWS,)), self.cue)
        self.left = torch.where(rows, torch.randint(3, 9, (ROWS,)), self.left)
        self.first = rows

    def observed(self):
        cue = torch.nn.functional.one_hot(self.cue, CUES) * self.first[:, None]
        return torch.cat([cue, (self.left == 0)[:, None]], 1).float()

    def step(self, action):
        """Rewards and ends of episodes; the rows that end begin anew."""
        ends = self.left == 0
        rewards = ((action == self.cue) & ends).float()
        self.left = self.left - 1
        self.begin(ends)
        return rewards, ends


class Agent(torch.nn.Module):
    def __init__(self, memory=True):
        super().__init__()
        self.gru = GRU(CUES + 1, 32) if memory else None
        self.dense, self.heads = torch.nn.Linear(CUES + 1, 32), torch.nn.Linear(32, CUES + 1)

    def forward(self, x, hx, resets):  # [T, B, 5], [1, B, 32], [T, B]
        output, hx = self.gru(x, hx, resets=resets) if self.gru else (torch.tanh(self.dense(x)), hx)
        heads = self.heads(output)
        return torch.distributions.Categorical(logits=heads[..., :CUES]), heads[..., CUES], hx


@torch.no_grad()
def rollout(agent, task, hx, fresh):
    """STEPS steps: observations, actions, log-probabilities, values, rewards, resets; `fresh` marks rows that begin."""
    steps = []
    for _ in range(STEPS):
        x = task.observed()
        policy, value, hx = agent(x[None], hx, fresh[None])
        action = policy.sample()
        rewards, ends = task.step(action[0])
        steps.append((x, action[0], policy.log_prob(action)[0], value[0], rewards, fresh, ends))
        fresh = ends
    last = agent(task.observed()[None], hx, fresh[None])[1][0]
    return [torch.stack(column) for column in zip(*steps, strict=True)], last, hx, fresh


def advantages(values, rewards, ends, last):
    """Generalized advantage estimation."""
    found, following, gain = torch.zeros_like(values), last, torch.zeros(ROWS)
    for t in reversed(range(STEPS)):
        on = (~ends[t]).float()
        gain = rewards[t] + GAMMA * following * on - values[t] + GAMMA * LAMBDA * gain * on
        found[t], following = gain, values[t]
    return found


def train(seed, memory=True):
    """The mean return of the episodes in the last ten rollouts."""
    torch.manual_seed(seed)
    agent, task = Agent(memory), Recall()
    optimizer = torch.optim.Adam(agent.parameters(), lr=5e-3)
    hx, fresh, returns = torch.zeros(1, ROWS, 32), torch.ones(ROWS, dtype=torch.bool), []
    for _ in range(UPDATES):
        start = hx
        (x, actions, old, values, rewards, resets, ends), last, hx, fresh = rollout(agent, task, hx, fresh)
        gains = advantages(values, rewards, ends, last)
        weights = (gains - gains.mean()) / (gains.std() + 1e-6)
        for _ in range(EPOCHS):
            policy, value, _ = agent(x, start, resets)  # the whole rollout, episodes and all
            ratio = (policy.log_prob(actions) - old).exp()
            gained = torch.minimum(ratio * weights, ratio.clamp(1 - CLIP, 1 + CLIP) * weights).mean()
            loss = -gained + 0.5 * (value - gains - values).square().mean() - 0.01 * policy.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()
        returns.append(float(rewards.sum() / ends.sum()))
    return sum(returns[-10:]) / 10


if __name__ == "__main__":
    for seed in range(3):
        print(f"seed {seed}: mean return {train(seed):.2f}, without memory {train(seed, memory=False):.2f}")
