"""The dimension `multilingual`: glossary terms and the language that was asked for."""
