"""Scenarios: the only package that knows pytest, pytest-bdd and Allure."""
