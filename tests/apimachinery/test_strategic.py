"""Each case of CASES runs through the real kubectl (`kubectl patch --local`), which is upstream's own code."""
import copy
