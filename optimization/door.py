"""What other rooms may use of optimization."""

from optimization.holdouts import hold_out
from optimization.ranking import Candidate, rank
from optimization.splitting import split
from optimization.variants import Arm, choose

__all__ = ["Arm", "Candidate", "choose", "hold_out", "rank", "split"]
