"""The facts about the losses, one file a family; `lossbook.catalogue` collects them."""
