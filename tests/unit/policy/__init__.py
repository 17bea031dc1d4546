"""Tests of the policy's command."""
