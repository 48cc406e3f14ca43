"""What do deep networks like to see? The study of Palacio et al. (CVPR 2018).

The public interface is what ``__init__.pyi`` lists; each name is imported when it is
first used. The library's own modules never import it.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
