"""Where heavy pure work runs: merges in processes of their own, validators in theirs."""
