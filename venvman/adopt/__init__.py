"""What other tools' files say a project needs: pins, roots, and what cannot be taken over."""
