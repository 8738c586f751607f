"""Reads the Bicep of ``infra/`` without a Bicep compiler, which is in no package registry.

``template`` parses (with pycep's grammar) and puts operators in their places; ``names`` resolves
what a compiler would: symbols, module parameters and outputs; ``shapes`` holds every resource's
properties against Azure's own SDK models. What only a real deployment can prove is named in
docs/how-to/deploy.md.
"""
